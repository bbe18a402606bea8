import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { livingHolder } from '../../src/conpaas/agent/spec.js';
import { KILLS } from './history.js';
import type { Random } from './random.js';
import type { Scene } from './scene.js';

export const KINDS = ['gateway', 'pause', 'database', 'session', 'cloud foundry', 'openshift', 'agent'] as const;
export type Kind = (typeof KINDS)[number];

const WEIGHTS: Record<Kind, number> = {
  gateway: 6,
  pause: 1,
  database: 2,
  session: 1,
  'cloud foundry': 2,
  openshift: 2,
  agent: 5,
};

/** Milliseconds: who needed the database while it was away may only now be ending. */
const LEEWAY = 30_000;

export interface Chaos {
  /** Kills at random until the signal; resolves when all that was killed is back. */
  run(signal: AbortSignal): Promise<void>;
  readonly kills: Readonly<Record<Kind, number>>;
}

/** `pause`: milliseconds between two kills, at least and at most. `weights`: how often what is killed, other than by default. */
export function chaosOf(
  scene: Scene,
  random: Random,
  pause: readonly [number, number],
  weights: Partial<Record<Kind, number>> = {},
): Chaos {
  const { gateways, history, database, cloudFoundry, openShift } = scene;
  const kills = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
  /** What is down now, and when it is back. */
  const down = new Map<string, Promise<void>>();
  let databaseIsDown = false;
  let databaseBack = 0;
  const isBack = () => {
    databaseIsDown = false;
    databaseBack = Date.now();
  };
  const over = new AbortController();
  /** Agents that were to be killed when none lived: they are rarer than the moments at which one is drawn. */
  let owed = 0;
  const table = { ...WEIGHTS, ...(database ? {} : { database: 0, session: 0 }), ...weights };

  /** Nothing is killed that is down already. */
  const once = (kind: Kind, name: string, work: () => Promise<void>): void => {
    if (down.has(name)) return;
    kills[kind] += 1;
    const back = work().catch((error: Error) => history.violation(KILLS, `${name}: ${error.message}`));
    down.set(
      name,
      back.finally(() => down.delete(name)),
    );
  };
  const deeds: Record<Kind, () => Promise<void> | void> = {
    gateway() {
      const gateway = random.one(gateways);
      const rest = random.whole(0, 3000);
      const served = random.whole(2 * pause[0], 3 * pause[1]);
      once('gateway', gateway.name, async () => {
        history.tell(KILLS, `gateway ${gateway.name}, SIGKILL`);
        await gateway.kill();
        await wait(rest);
        await gateway.start(() => databaseIsDown || Date.now() < databaseBack + LEEWAY);
        // It serves for some time before it is hit again, however long it takes to start.
        await wait(served, undefined, { signal: over.signal }).catch(() => undefined);
      });
    },
    pause() {
      const gateway = random.one(gateways);
      const length = random.whole(500, 8000);
      once('pause', gateway.name, async () => {
        history.tell(KILLS, `gateway ${gateway.name}, stopped for ${length} ms`);
        await gateway.pause(length);
        history.tell(KILLS, `gateway ${gateway.name} goes on`);
      });
    },
    database() {
      if (!database) return;
      const rest = random.whole(0, 4000);
      once('database', 'database', async () => {
        history.tell(KILLS, 'database, SIGKILL');
        databaseIsDown = true;
        await database.kill();
        await wait(rest);
        await database.restart();
        isBack();
        history.tell(KILLS, 'database serves');
      });
    },
    session() {
      if (!database || databaseIsDown) return;
      once('session', 'database', async () => {
        databaseIsDown = true;
        history.tell(KILLS, 'session of the database, SIGKILL');
        database.killSession((pids) => random.one(pids));
        await database.answers();
        isBack();
      });
    },
    'cloud foundry': () => cut('cloud foundry', cloudFoundry.front),
    openshift: () => cut('openshift', openShift.front),
    agent() {
      owed += 1;
    },
  };
  async function killOwedAgent(): Promise<void> {
    if (owed === 0) return;
    const agents = (await Promise.all(scene.hosts.map(livingAgents))).flat();
    if (agents.length === 0) return;
    const { id, pid } = random.one(agents);
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It has ended by itself since it was looked for: another one at the next turn.
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    owed -= 1;
    kills.agent += 1;
    history.tell(KILLS, `agent ${id}, SIGKILL`);
  }
  function cut(kind: 'cloud foundry' | 'openshift', front: Scene['openShift']['front']): void {
    // Now and then longer than an operation repeats its calls.
    const length = random.chance(0.2) ? random.whole(8000, 20_000) : random.whole(100, 4000);
    once(kind, kind, async () => {
      history.tell(KILLS, `${kind} is away for ${length} ms`);
      await front.down();
      await wait(length);
      await front.up();
      history.tell(KILLS, `${kind} is back`);
    });
  }
  return {
    kills,
    async run(signal) {
      while (!signal.aborted) {
        await wait(random.whole(...pause), undefined, { signal }).catch(() => undefined);
        if (signal.aborted) break;
        await deeds[random.weighted(table)]();
        await killOwedAgent();
      }
      over.abort();
      await Promise.all(down.values());
    },
  };
}

/** Only those whose identity is proven: the pid of a dead one may be a stranger's by now. */
async function livingAgents(host: string): Promise<{ id: string; pid: number }[]> {
  const folder = join(host, 'conpaas', 'agents');
  const ids = (await readdir(folder).catch(() => [])).sort();
  const holders = await Promise.all(ids.map(async (id) => ({ id, pid: (await livingHolder(join(folder, id)))?.pid })));
  return holders.flatMap(({ id, pid }) => (pid === undefined ? [] : [{ id, pid }]));
}
