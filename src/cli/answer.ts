import { XMLParser } from 'fast-xml-parser';
import { CommandFault } from './fault.js';

/** An element of an answer. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

type Ordered = Record<string, unknown> & { ':@'?: Record<string, string> };

/** Reads an answer of the gateway, and checks that it is what was asked for: an answer with another root is not from a COAPS API. */
export function readXml(content: string, root: string): XmlElement {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: true,
    htmlEntities: true,
  });
  let elements: XmlElement[] = [];
  try {
    elements = (parser.parse(content) as Ordered[]).flatMap(element);
  } catch {
    // What is no XML is told below.
  }
  const found = elements.find((one) => one.name === root);
  if (!found)
    throw new CommandFault(`The gateway answered with something that is no <${root}>; is this the URL of a COAPS API?`);
  return found;
}

export function childrenOf(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.filter((child) => child.name === name);
}

function element(node: Ordered): XmlElement[] {
  const name = Object.keys(node).find((key) => key !== ':@');
  if (name === undefined || name === '#text' || name.startsWith('?')) return [];
  const inner = node[name] as Ordered[];
  return [
    {
      name,
      attributes: node[':@'] ?? {},
      children: inner.flatMap(element),
      text: inner.map((one) => (typeof one['#text'] === 'string' ? one['#text'] : '')).join(''),
    },
  ];
}
