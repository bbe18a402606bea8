import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { ConfigMap } from '../../adapters/openshift/api-objects.js';
import { type Client, createClient } from '../../adapters/openshift/client.js';
import { openConnection } from '../../adapters/openshift/connection.js';
import { waitFor } from '../../adapters/openshift/follow.js';
import { CONFIG_MAP } from '../../adapters/openshift/kinds.js';
import { readLines } from '../../adapters/openshift/lines.js';
import { readSettings } from '../../adapters/openshift/settings.js';
import { type FakeOpenShift, type FakeOptions, startFakeOpenShift } from '../support/openshift.js';
import { SILENT, withDefaults } from '../support/openshift-bench.js';

const NAMESPACE = 'watched';

interface Scene {
  fake: FakeOpenShift;
  client: Client;
  /** `list` or `watch 12`, in the order in which they came. */
  asked: string[];
  add(name: string): void;
  /** Waits for a ConfigMap of the name. */
  wait(name: string): Promise<string>;
  until(isSo: () => boolean): Promise<void>;
  /** How many requests of this kind there were. */
  count(kind: 'list' | 'watch'): number;
}

async function onCluster(test: (scene: Scene) => Promise<void>, options: FakeOptions = {}): Promise<void> {
  const fake = await startFakeOpenShift({ bare: true, ...options });
  const given = withDefaults({ server: fake.url, token: fake.token('alice') });
  const settings = readSettings({ platform: 'OS', installation: 'abcdefgh', options: given, log: SILENT });
  const client = createClient(await openConnection(settings), { requestTimeout: 5000, firstPause: 5 });
  const asked: string[] = [];
  const count: Scene['count'] = (kind) => asked.filter((one) => one.startsWith(kind)).length;
  fake.addProject(NAMESPACE, 'alice');
  fake.interfere(({ query }) => {
    asked.push(query.has('watch') ? `watch ${query.get('resourceVersion')}` : 'list');
    return undefined;
  });
  const signal = AbortSignal.timeout(10_000);
  try {
    await test({
      fake,
      client,
      asked,
      count,
      add: (name) => void fake.add('configmaps', { metadata: { name, namespace: NAMESPACE }, data: {} }),
      wait: (name) =>
        waitFor<ConfigMap, string>(
          client,
          CONFIG_MAP,
          { namespace: NAMESPACE },
          (items) => items.map((one) => one.metadata.name).find((one) => one === name),
          { limit: 8000, signal, what: () => `no ${name}` },
        ),
      async until(isSo) {
        while (!isSo()) await setTimeout(5, undefined, { signal });
      },
    });
  } finally {
    client.close();
    await fake.close();
  }
}

describe('a view kept by list and watch', () => {
  test('goes on after a cut from where its last bookmark was, also when all before that is forgotten', () =>
    onCluster(
      async ({ fake, asked, add, count, wait, until }) => {
        const { cluster } = fake.world;
        const found = wait('late');
        await until(() => count('watch') > 0);
        // Others change things that are not watched, so that only bookmarks tell how far the cluster is.
        for (let number = 0; number < 5; number += 1) {
          fake.add('secrets', { metadata: { name: `other-${number}`, namespace: NAMESPACE } });
        }
        await until(() => asked.includes(`watch ${cluster.version}`));
        cluster.compact();
        const before = asked.length;
        fake.cutWatches();
        await until(() => asked.length > before);
        add('late');
        expect(await found).toBe('late');
        expect(new Set(asked.slice(before))).toEqual(new Set([`watch ${cluster.forgotten}`]));
        expect(count('list')).toBe(1);
      },
      // A minute takes 60 ms: a watch's whole time, at whose end a bookmark comes.
      { second: 1 },
    ));

  test('is listed again when its version is too old, and sees what came meanwhile', () =>
    onCluster(async ({ fake, add, count, wait, until }) => {
      const found = wait('meanwhile');
      await until(() => count('watch') > 0);
      let isDown = true;
      fake.interfere(({ query }) => (isDown && query.has('watch') ? 'cut' : undefined));
      fake.cutWatches();
      add('meanwhile');
      fake.add('configmaps', { metadata: { name: 'another', namespace: NAMESPACE }, data: {} });
      fake.world.cluster.compact();
      isDown = false;
      expect(await found).toBe('meanwhile');
      expect(count('list')).toBe(2);
    }));

  test('asks with pauses when the server says every time that the version is too old', () =>
    onCluster(async ({ fake, add, wait, until }) => {
      const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } };
      const listed: number[] = [];
      fake.interfere(({ query }) => {
        if (query.has('watch')) return { code: 200, body: gone };
        listed.push(performance.now());
        return undefined;
      });
      const found = wait('late');
      await until(() => listed.length > 5);
      add('late');
      expect(await found).toBe('late');
      // A slow machine makes them longer, never shorter; a timer may be a millisecond early.
      const pauses = listed.slice(1).map((at, index) => at - (listed[index] ?? 0));
      expect(Math.min(...pauses)).toBeGreaterThan(45);
    }));

  test('goes on after a line that was cut in its middle', () =>
    onCluster(async ({ fake, add, count, wait, until }) => {
      let left = 2;
      fake.interfere(({ query }) => {
        if (!query.has('watch')) return undefined;
        left -= 1;
        return left >= 0 ? { code: 200, body: '{"type":"ADDED","object":{"metadata":{"na' } : undefined;
      });
      const found = wait('late');
      await until(() => count('watch') > 2);
      add('late');
      expect(await found).toBe('late');
      expect(count('list')).toBe(1);
    }));

  test('ends by its limit with what was waited for', () =>
    onCluster(async ({ client }) => {
      const wait = { limit: 200, signal: AbortSignal.timeout(5000), what: () => 'nothing came' };
      const waiting = waitFor(client, CONFIG_MAP, { namespace: NAMESPACE }, () => undefined, wait);
      await expect(waiting).rejects.toMatchObject({ kind: 'timeout', message: 'nothing came (waited 0 s)' });
    }));
});

describe('the lines of an answer', () => {
  const collect = async (stream: PassThrough): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of readLines(stream)) lines.push(line);
    return lines;
  };

  test('are whole whatever pieces they come in, also inside a character', async () => {
    const stream = new PassThrough();
    const bytes = Buffer.from('grün\r\n\nблок\nend');
    for (const byte of bytes) stream.write(Buffer.of(byte));
    stream.end();
    expect(await collect(stream)).toEqual(['grün', '', 'блок', 'end']);
  });

  test('end with an error when the answer is destroyed', async () => {
    const stream = new PassThrough();
    stream.write('one\ntw');
    const lines = readLines(stream);
    expect(await lines.next()).toEqual({ done: false, value: 'one' });
    stream.destroy();
    await expect(lines.next()).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  test('without an end come in pieces', async () => {
    const stream = new PassThrough();
    const lines = collect(stream);
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let number = 0; number < 33; number += 1)
      if (!stream.write(piece)) await new Promise((resolve) => stream.once('drain', resolve));
    stream.end();
    const lengths = (await lines).map((line) => line.length / piece.length);
    expect(lengths).toEqual([16, 16, 1]);
  });
});
