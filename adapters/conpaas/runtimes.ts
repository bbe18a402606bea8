import type { Artefact, EnvironmentNode, OfferedNode } from '../../src/domain/model.js';
import { chooseNode, knownWord, unknownNode } from '../../src/domain/nodes.js';
import { AdapterError, type ArtefactSource, type EnvironmentSpec, type Offer } from '../adapter.js';
import { zipNames } from '../zip-names.js';
import { checkDatabase, isDatabase, offeredDatabases } from './databases.js';
import type { RuntimeRow } from './director.js';
import type { Work } from './work.js';

interface Kind {
  /** MiB below which nothing of it starts. */
  floor: number;
  artefacts: readonly Artefact['type'][];
  /** Containers that mean it; the first is shown when the Director tells no runtimes. */
  words: readonly string[];
}

/** Service types and the containers that they are. */
const KINDS: Readonly<Record<string, Kind>> = {
  java: { floor: 128, artefacts: ['war', 'jar', 'zip'], words: ['tomcat', 'jetty', 'java', 'spring', 'jboss'] },
  nodejs: { floor: 64, artefacts: ['zip'], words: ['node'] },
  php: { floor: 32, artefacts: ['zip'], words: ['php'] },
  python: { floor: 32, artefacts: ['zip'], words: ['python'] },
  static: { floor: 32, artefacts: ['zip'], words: ['static'] },
};

export interface Chosen {
  type: string;
  floor: number;
  remarks: string[];
}

/** Files at the top of an archive that say what it is, the more telling first. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/^(package\.json|Procfile)$/, 'nodejs'],
  [/^index\.php$/, 'php'],
  [/^(requirements\.txt|app\.py|wsgi\.py)$/, 'python'],
  [/^WEB-INF\//, 'java'],
  [/^index\.html?$/, 'static'],
];

/** What this ConPaaS offers, in the words of descriptors. */
export async function offerOf(work: Work): Promise<Offer> {
  const { runtimes: _, ...offer } = await offerAndRuntimes(work);
  return offer;
}

async function offerAndRuntimes({ director, call }: Work): Promise<Offer & { runtimes: RuntimeRow[] }> {
  const types = await director.availableTypes(call.signal);
  const runtimes = (await director.runtimes(call.signal)) ?? [];
  return {
    runtimes,
    containers: types.flatMap((type) => containersOf(type, runtimes)),
    databases: offeredDatabases(runtimes),
    services: [],
    memory: { minimum: 32, default: DEFAULT_MEMORY },
    remarks: runtimes
      .filter(({ available }) => !available)
      .map(({ name, install }) => `${name} is not there. ${install ?? ''}`.trim()),
  };
}

/** MiB. */
export const DEFAULT_MEMORY = 512;

/** A service type is shown as the programs that the machine has for it; of a Director that does not tell, by its usual word. */
function containersOf(type: string, runtimes: readonly RuntimeRow[]): OfferedNode[] {
  const kind = KINDS[type];
  const [usual] = kind?.words ?? [];
  if (!kind || !usual) return [];
  const offered = new Map<string, string[]>();
  for (const runtime of runtimes) {
    if (runtime.type !== type || !runtime.available) continue;
    for (const { word, version } of programsOf(runtime)) {
      if (kind.words.includes(word)) offered.set(word, [...(offered.get(word) ?? []), version]);
    }
  }
  if (offered.size === 0) offered.set(usual, []);
  return [...offered].map(([name, versions]) => ({ name, versions }));
}

/** `Tomcat 10.1.34, Jetty 9.4.57` are two, each under its own name; `20.1.0` is one under the runtime's. */
function programsOf({ name, version = '' }: RuntimeRow): { word: string; version: string }[] {
  return version.split(', ').map((text) => {
    const [, program, number] = /^([A-Za-z]+) (\S+)$/.exec(text) ?? [];
    if (program && number) return { word: program.toLowerCase(), version: number };
    return { word: WORDS[name] ?? name, version: text };
  });
}

/** Runtimes whose name is not the container's. */
const WORDS: Readonly<Record<string, string>> = { jar: 'java', nodejs: 'node' };

/** The container of an environment (undefined: it names none) and how many databases. Throws `rejected` for an unknown one, `not-supported` for an unknown database. */
export async function checkNodes(
  work: Work,
  nodes: readonly EnvironmentNode[],
): Promise<{ type?: string; databases: number; remarks: string[] }> {
  const offer = await offerAndRuntimes(work);
  const chosen: { type?: string; databases: number; remarks: string[] } = { databases: 0, remarks: [] };
  for (const node of nodes) {
    if (isDatabase(node, offer.databases)) {
      chosen.remarks.push(...checkDatabase(node, offer.databases, offer.runtimes));
      chosen.databases += 1;
      continue;
    }
    if (node.contentType !== 'container') {
      chosen.remarks.push(`The ${node.contentType} "${node.name}" is not needed here and is ignored.`);
      continue;
    }
    const { type, remark } = containerOf(node, offer.containers);
    if (remark) chosen.remarks.push(remark);
    chosen.type ??= type;
  }
  return chosen;
}

function containerOf(node: EnvironmentNode, offered: readonly OfferedNode[]): { type: string; remark?: string } {
  const typeOf = (name: string) => Object.keys(KINDS).find((type) => KINDS[type]?.words.includes(name));
  const choice = chooseNode(node, offered);
  const exact = choice && typeOf(choice.name);
  if (choice && exact) return { type: exact, ...(choice.remark === undefined ? {} : { remark: choice.remark }) };
  const word = knownWord(node.name);
  const type = word === undefined ? undefined : typeOf(word);
  const instead = offered.find(({ name }) => type !== undefined && typeOf(name) === type);
  if (!type || !instead) throw new AdapterError('rejected', unknownNode(node, offered));
  return { type, remark: `${node.name} is not offered; ${instead.name} is used.` };
}

/** On which type of service an artefact runs. Throws `not-supported` or `rejected`; nothing was made yet. */
export async function chooseType(work: Work, environment: EnvironmentSpec, artefact: ArtefactSource): Promise<Chosen> {
  if (artefact.type === 'ear') {
    throw new AdapterError(
      'not-supported',
      'An ear needs an application server (jboss, wildfly), which ConPaaS has not; deploy it on a platform that has one.',
    );
  }
  const { type: named, remarks } = await checkNodes(work, environment.nodes);
  const type = named ?? (await typeInside(artefact));
  const kind = type === undefined ? undefined : KINDS[type];
  if (type === undefined || !kind) {
    const names = Object.values(KINDS).map(({ words }) => words[0]);
    throw new AdapterError(
      'rejected',
      `It is not to be seen what ${artefact.name} needs. Name a container in the environment: ${names.join(', ')}.`,
    );
  }
  if (!kind.artefacts.includes(artefact.type)) {
    const able = Object.values(KINDS).filter(({ artefacts }) => artefacts.includes(artefact.type));
    throw new AdapterError(
      'not-supported',
      `A ${type} service does not run a ${artefact.type}. Containers that do: ${able.flatMap(({ words }) => words).join(', ')}.`,
    );
  }
  await refuseWithoutServer(work, artefact);
  return { type, floor: kind.floor, remarks };
}

/** A java service may be able to run jars alone. */
async function refuseWithoutServer({ director, call }: Work, artefact: ArtefactSource): Promise<void> {
  if (artefact.type !== 'war') return;
  const runtimes = await director.runtimes(call.signal);
  const war = runtimes?.find(({ name }) => name === 'war');
  if (war && !war.available) throw new AdapterError('not-supported', war.install ?? 'This ConPaaS runs no wars.');
}

async function typeInside(artefact: ArtefactSource): Promise<string | undefined> {
  if (artefact.type !== 'zip') return 'java';
  const names = (await zipNames(artefact.open())) ?? [];
  const tops = new Set(names.map((name) => name.split('/')[0] ?? ''));
  const [only] = tops;
  const wrapped = tops.size === 1 && names.some((name) => name.includes('/')) ? `${only}/` : '';
  const inner = names.map((name) => (name.startsWith(wrapped) ? name.slice(wrapped.length) : name));
  return SIGNS.find(([sign]) => inner.some((name) => sign.test(name)))?.[1];
}
