import { XmlCData, XmlDocument, type XmlElement, XmlText, type XmlTreeNode } from 'libxml2-wasm';

/**
 * The rules of WADL's two schemas: of http://research.sun.com/wadl/2006/10 as of 9 November 2006 (that of the specification's annex),
 * and of http://wadl.dev.java.net/2009/02 (the W3C submission). Written down here as a table: the order of children as a regular
 * expression over their names, and the type of each attribute.
 */
interface ElementRule {
  children: RegExp;
  attributes: Readonly<Record<string, AttributeType>>;
  required?: readonly string[];
}
type AttributeType =
  | 'ID'
  | 'NMTOKEN'
  | 'QName'
  | 'boolean'
  | 'anyURI'
  | 'statusCodes'
  | 'paramStyle'
  | 'string'
  | 'token'
  | 'uris';

export const NAMESPACES = {
  '2006': 'http://research.sun.com/wadl/2006/10',
  '2009': 'http://wadl.dev.java.net/2009/02',
} as const;
export type Version = keyof typeof NAMESPACES;

/** Every child is written as its name and a space; `*` stands for an element of another namespace, which may end every element. */
const sequence = (pattern: string) => new RegExp(`^${pattern.replaceAll(/([a-z_]+)/g, '(?:$1 )')}(?:\\* )*$`);

const COMMON: Readonly<Record<string, ElementRule>> = {
  doc: { children: sequence(''), attributes: { title: 'string', 'xml:lang': 'string' } },
  grammars: { children: sequence('doc*include*'), attributes: {} },
  include: { children: /^(doc )*$/, attributes: { href: 'anyURI' } },
  resources: { children: sequence('doc*resource+'), attributes: { base: 'anyURI' } },
  resource: {
    children: sequence('doc*param*(method|resource)*'),
    attributes: { id: 'ID', type: 'uris', queryType: 'string', path: 'string' },
  },
  request: { children: sequence('doc*param*representation*'), attributes: {} },
  link: { children: sequence('doc*'), attributes: { resource_type: 'anyURI', rel: 'token', rev: 'token' } },
};
const METHOD = { id: 'ID', name: 'NMTOKEN', href: 'anyURI' } as const;
const REPRESENTATION = { id: 'ID', element: 'QName', mediaType: 'string', href: 'anyURI', profile: 'uris' } as const;
const PARAM = {
  name: 'NMTOKEN',
  style: 'paramStyle',
  id: 'ID',
  type: 'QName',
  default: 'string',
  required: 'boolean',
  repeating: 'boolean',
  fixed: 'string',
  path: 'string',
} as const;

const RULES: Readonly<Record<Version, Readonly<Record<string, ElementRule>>>> = {
  '2006': {
    ...COMMON,
    application: {
      children: sequence('doc*grammars?resources?(resource_type|method|representation|fault)*'),
      attributes: {},
    },
    resource_type: { children: sequence('doc*param*method+'), attributes: { id: 'ID' } },
    method: { children: sequence('doc*request?response?'), attributes: METHOD },
    response: { children: sequence('doc*param*(representation|fault)*'), attributes: {} },
    representation: { children: sequence('doc*param*'), attributes: { ...REPRESENTATION, status: 'statusCodes' } },
    fault: { children: sequence('doc*param*'), attributes: { ...REPRESENTATION, status: 'statusCodes' } },
    param: { children: sequence('doc*option*link?'), attributes: PARAM, required: ['name', 'style'] },
    option: { children: sequence('doc*'), attributes: { value: 'string' }, required: ['value'] },
  },
  '2009': {
    ...COMMON,
    application: {
      children: sequence('doc*grammars?resources*(resource_type|method|representation|param)*'),
      attributes: {},
    },
    resource_type: { children: sequence('doc*param*(method|resource)*'), attributes: { id: 'ID' } },
    method: { children: sequence('doc*request?response*'), attributes: METHOD },
    response: { children: sequence('doc*param*representation*'), attributes: { status: 'statusCodes' } },
    representation: { children: sequence('doc*param*'), attributes: REPRESENTATION },
    param: { children: sequence('doc*option*link?'), attributes: { ...PARAM, href: 'anyURI' } },
    option: { children: sequence('doc*'), attributes: { value: 'string', mediaType: 'string' }, required: ['value'] },
  },
};

/** Elements whose content may hold text: the others' is white space. */
const MIXED = new Set(['doc']);

/** What of the schema a document breaks; empty: it is valid. */
export function violations(text: string, version: Version): string[] {
  const document = XmlDocument.fromString(text);
  try {
    const found: string[] = [];
    const ids = new Set<string>();
    if (document.root.name !== 'application') found.push(`The root is ${document.root.name}`);
    check(document.root, { version, ids, found });
    for (const reference of document.find('//*[@href]') as XmlElement[]) {
      const href = reference.attr('href')?.value ?? '';
      if (href.startsWith('#') && !ids.has(href.slice(1))) found.push(`${href} refers to nothing`);
    }
    return found;
  } finally {
    document.dispose();
  }
}

interface Checking {
  version: Version;
  ids: Set<string>;
  found: string[];
}

function check(element: XmlElement, checking: Checking): void {
  const { version, found } = checking;
  const rule = Object.hasOwn(RULES[version], element.name) ? RULES[version][element.name] : undefined;
  if (!rule || element.namespaceUri !== NAMESPACES[version]) {
    found.push(`{${element.namespaceUri}}${element.name} is not known`);
    return;
  }
  const children = childrenOf(element);
  const names = children
    .map((child) => (child.namespaceUri === NAMESPACES[version] ? `${child.name} ` : '* '))
    .join('');
  if (!rule.children.test(names)) found.push(`<${element.name}> holds ${names}`);
  if (!MIXED.has(element.name) && textOf(element).trim() !== '') found.push(`<${element.name}> holds text`);
  const given = element.attrs;
  for (const name of rule.required ?? []) {
    if (!given.some((attribute) => attribute.name === name)) found.push(`<${element.name}> has no ${name}`);
  }
  for (const { name, prefix, value } of given) {
    if (prefix !== '' && prefix !== 'xml') continue;
    const type = rule.attributes[prefix === 'xml' ? `xml:${name}` : name];
    if (!type) found.push(`<${element.name}> has an unknown ${name}`);
    else if (!fits(type, value, element, checking.ids))
      found.push(`<${element.name} ${name}="${value}"> is no ${type}`);
  }
  for (const child of children) if (child.namespaceUri === NAMESPACES[version]) check(child, checking);
}

const NCNAME = /^[A-Za-z_][\w.-]*$/;

function fits(type: AttributeType, value: string, element: XmlElement, ids: Set<string>): boolean {
  switch (type) {
    case 'ID':
      return NCNAME.test(value) && !ids.has(value) && Boolean(ids.add(value));
    case 'NMTOKEN':
      return /^[\w.:-]+$/.test(value);
    case 'QName': {
      const [prefix, local] = value.includes(':') ? value.split(':') : ['', value];
      return NCNAME.test(local ?? '') && (prefix === '' || element.namespaces[prefix as string] !== undefined);
    }
    case 'boolean':
      return ['true', 'false', '1', '0'].includes(value);
    case 'anyURI':
      return !/[\s<>{}|\\^`]/.test(value);
    case 'uris':
      return value.split(/\s+/).every((uri) => fits('anyURI', uri, element, ids));
    case 'statusCodes':
      return value.split(/\s+/).every((code) => /^\d+$/.test(code));
    case 'paramStyle':
      return ['plain', 'query', 'matrix', 'header', 'template'].includes(value);
    default:
      return true;
  }
}

function childrenOf(element: XmlElement): XmlElement[] {
  const children: XmlElement[] = [];
  for (let node: XmlTreeNode | null = element.firstChild; node; node = node.next) {
    if (isElement(node)) children.push(node);
  }
  return children;
}

function isElement(node: XmlTreeNode): node is XmlElement {
  return 'attrs' in node;
}

function textOf(element: XmlElement): string {
  let text = '';
  for (let node: XmlTreeNode | null = element.firstChild; node; node = node.next) {
    if (node instanceof XmlText || node instanceof XmlCData) text += node.content;
  }
  return text;
}
