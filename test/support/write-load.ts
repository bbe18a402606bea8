import { createHash, randomBytes, randomInt } from 'node:crypto';
import { zip } from '../archives/pack.js';
import type { TestGateway } from './gateway.js';
import { idIn, siteForm } from './world.js';

/** SHA-256 of the artefact by application name; undefined: no version yet. */
type State = Map<string, string | undefined>;

/** What one client did, one thing after the other: every one of these was acknowledged before the next began. */
interface History {
  writer: string;
  events: ((state: State) => void)[];
}

export interface WriteLoad {
  /** How far each client has come. */
  progress(): number[];
  stop(): Promise<void>;
  /**
   * Whether what a gateway shows is, for each client, a state between two moments: nothing that was acknowledged before `from` is
   * missing or back, nothing that began after `to` is there, and whatever the client did in between is there up to one point.
   */
  check(gateway: Pick<TestGateway, 'request'>, from: number[], to: number[]): Promise<void>;
}

/** Clients that create applications and versions with artefacts, and delete some again, until they are stopped. */
export function startWriteLoad(gateway: Pick<TestGateway, 'request'>, user: string, clients: number): WriteLoad {
  let stopped = false;
  const histories: History[] = Array.from({ length: clients }, (_, index) => ({ writer: `w${index}-`, events: [] }));
  const ask = async (method: string, path: string, more: object = {}) => {
    const answer = await gateway.request(path, { method, user, ...more });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text;
  };
  const work = async ({ writer, events }: History) => {
    const standing: { name: string; appId: number }[] = [];
    for (let count = 1; !stopped; count++) {
      const name = `${writer}${count}`;
      const headers = { 'Content-Type': 'application/xml' };
      const made = await ask('POST', '/app', { headers, body: `<m><paas_application name="${name}"/></m>` });
      events.push((state) => state.set(name, undefined));
      const appId = idIn(made, 'appId');
      const bytes = zip([{ name: 'index.html', content: randomBytes(200 + randomInt(60_000)).toString('hex') }]);
      await ask('POST', `/app/${appId}/version`, siteForm(bytes));
      events.push((state) => state.set(name, sha256(bytes)));
      standing.push({ name, appId });
      const gone = count % 3 === 0 ? standing.splice(randomInt(standing.length), 1)[0] : undefined;
      if (!gone) continue;
      await ask('DELETE', `/app/${gone.appId}`);
      events.push((state) => state.delete(gone.name));
    }
  };
  const working = Promise.all(histories.map(work));
  working.catch(() => undefined);
  return {
    progress: () => histories.map(({ events }) => events.length),
    async stop() {
      stopped = true;
      await working;
    },
    async check(other, from, to) {
      const shown = await stateOf(other, user);
      for (const [index, { writer, events }] of histories.entries()) {
        const seen = text(new Map([...shown].filter(([name]) => name.startsWith(writer))));
        const possible = statesBetween(events, from[index] ?? 0, (to[index] ?? 0) + 1);
        if (!possible.includes(seen)) throw new Error(`No moment of ${writer} was ${seen}\nbut ${possible.at(-1)}`);
      }
    },
  };
}

function statesBetween(events: History['events'], from: number, to: number): string[] {
  const state: State = new Map();
  const states = [text(state)];
  for (const event of events) {
    event(state);
    states.push(text(state));
  }
  return states.slice(from, to + 1);
}

function text(state: State): string {
  return JSON.stringify([...state].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** By the names of the applications, with the digests of the bytes that are downloaded. */
async function stateOf({ request }: Pick<TestGateway, 'request'>, user: string): Promise<State> {
  const { text: list } = await request('/app', { user, headers: { Accept: 'application/json' } });
  const { applications } = JSON.parse(list) as { applications: { id: number; name: string }[] };
  const state: State = new Map();
  for (const { id, name } of applications) {
    const { status, body } = await request(`/artefact/${id}/1/site.zip`, { user });
    state.set(name, status === 200 ? sha256(body) : undefined);
  }
  return state;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
