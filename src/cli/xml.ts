/** XML that is escaped already. */
export class Markup {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

const ESCAPED: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** A template of XML: whatever is put in is escaped, unless it is markup. */
export function xml(strings: TemplateStringsArray, ...values: (string | Markup | Markup[])[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...values.map(inner)));
}

function inner(value: string | Markup | Markup[]): string {
  if (Array.isArray(value)) return value.join('');
  return value instanceof Markup ? String(value) : value.replace(/[&<>"\t\n\r]/g, (sign) => ESCAPED[sign] ?? sign);
}
