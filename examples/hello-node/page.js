const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The page: a title and a table of facts. */
export function page(title, facts) {
  const rows = Object.entries(facts).map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escape(title)}</title>
    <style>
      :root { color-scheme: light dark; --ink: #14213d; --paper: #f7f5f0; --card: #fff; --line: #e3ded3; --accent: #2a7f62; }
      @media (prefers-color-scheme: dark) { :root { --ink: #eef0ea; --paper: #121614; --card: #1b211e; --line: #2e3833; --accent: #6fcf9f; } }
      * { box-sizing: border-box; margin: 0; }
      body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1.05rem/1.5 system-ui, sans-serif; }
      main { width: min(36rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 2.2rem; }
      h1 { font-size: clamp(1.7rem, 6vw, 2.4rem); line-height: 1.15; }
      h1::before { content: ''; display: block; width: 3rem; height: .35rem; border-radius: 1rem; background: var(--accent); margin-bottom: 1.1rem; }
      p { margin: .8rem 0 1.6rem; opacity: .75; }
      dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .55rem 0; border-top: 1px solid var(--line); }
      dt { opacity: .65; } dd { font-weight: 600; font-variant-numeric: tabular-nums; text-align: right; overflow-wrap: anywhere; }
    </style>
  </head>
  <body>
    <main>
      <h1>${escape(title)}</h1>
      <p>This application was deployed through the COAPS gateway and runs on the platform you chose.</p>
      <dl>${rows.join('')}</dl>
    </main>
  </body>
</html>
`;
}
