/** Terminal control sequences: platform logs carry them into reasons and remarks. */
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
/** Everything that XML 1.0 forbids, lone surrogates included. */
const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const PLAIN = /^[\t\n\r\u0020-\u007e]*$/;

/** Text that XML 1.0 may hold: without terminal sequences, forbidden characters replaced by U+FFFD. */
export function legalText(text: string): string {
  // Nearly every text: nothing in it needs a closer look.
  if (PLAIN.test(text)) return text;
  return text.replace(ANSI, '').replace(ILLEGAL, '\uFFFD');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\t': '&#x9;',
};

/** Escapes legal text as the content of an element. */
export function escapeText(text: string): string {
  if (!/[&<>\r]/.test(text)) return text;
  return text.replace(/[&<>\r]/g, (character) => ENTITIES[character] as string);
}

/** Escapes legal text as an attribute's value, so that no reader normalises its white space. */
export function escapeAttribute(text: string): string {
  if (!/[&<>"\r\n\t]/.test(text)) return text;
  return text.replace(/[&<>"\r\n\t]/g, (character) => ENTITIES[character] as string);
}
