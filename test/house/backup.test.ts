import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { list } from 'tar';
import { ADAPTERS } from '../../adapters/registry.js';
import { type Config, loadConfig } from '../../src/config.js';
import { writeBackup } from '../../src/gateway/backup/backup.js';
import { restoreBackup } from '../../src/gateway/backup/restore.js';
import { openDataDirectory } from '../../src/gateway/data-directory.js';
import { openGateway } from '../../src/gateway.js';
import { openArtefactFiles } from '../../src/store/artefact-files.js';
import { openStore } from '../../src/store/open.js';
import { application } from '../contract/store/rows.js';
import { builtProgram } from '../support/built.js';
import { everythingIn, fillStore } from '../support/filled-store.js';

const RESTORING = builtProgram('support/restoring');
const never = () => undefined;
const signal = new AbortController().signal;

let directory: string;
let data: string;
const at = (name: string) => join(directory, name);
const configOf = (folder: string): Config =>
  loadConfig({ directory, env: { COAPS_DATA: folder, COAPS_LOG_LEVEL: 'silent' }, adapters: ADAPTERS });
const backup = (name: string, told: (text: string) => void = never) => writeBackup(configOf(data), at(name), told);
const restore = (name: string, folder: string, replace = false, told: (text: string) => void = never) =>
  restoreBackup(configOf(folder), at(name), { replace }, told);

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'coaps-backup-'));
  data = at('data');
  openDataDirectory(data).release();
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A file of the data directory. */
function put(path: string, content: string | Buffer, folder = data): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
}

/** Every file of a data directory with its digest, but for those of the lock; the database by its rows. */
async function contentsOf(folder: string): Promise<Record<string, unknown>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(gateway\.|coaps\.db)/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const digests = files.map((file) => [
    file.slice(folder.length + 1),
    createHash('sha256').update(readFileSync(file)).digest('hex'),
  ]);
  const { migrations: _, ...rows } = await everythingIn(`sqlite:${join(folder, 'coaps.db')}`);
  return { ...Object.fromEntries(digests.sort()), rows };
}

async function namesIn(name: string): Promise<string[]> {
  const names: string[] = [];
  await list({ file: at(name), onReadEntry: (entry) => void names.push(entry.path) });
  return names;
}

/** An application with an artefact, stored in the data directory. */
async function stored(bytes: Buffer): Promise<{ appId: number; sha256: string }> {
  const files = await openArtefactFiles(join(data, 'artefacts'));
  const { sha256, size } = await files.receive(Readable.from([bytes]), signal);
  const store = await openStore({ url: `sqlite:${join(data, 'coaps.db')}` });
  const { appId } = await store.applications.create(
    application({ versions: [{ deployables: [{ name: 'a.zip', contentType: 'artifact' }], instances: [] }] }),
  );
  await store.applications.setArtefact(appId, 1, { name: 'a.zip', type: 'zip', size, sha256 });
  await store.close();
  return { appId, sha256 };
}

test('what is deleted and swept while a backup is written is in it as it was', async () => {
  put('secret.key', 'the key');
  put('conpaas/host-id', 'the host');
  const userData = `conpaas/userdata/${'a'.repeat(40)}-${'b'.repeat(96)}.zip`;
  put(userData, 'a long name');
  put('conpaas/services/7/code/code-abc', randomBytes(300_000));
  for (const path of ['services/7/manager.log', 'services/7/uploads/x', 'agents/a/key.pem', 'apps/a/x', 'incoming/x'])
    put(`conpaas/${path}`, 'stays');
  const { appId, sha256 } = await stored(randomBytes(2_500_000));
  let swept = 0;
  const told = async () => {
    const store = await openStore({ url: `sqlite:${join(data, 'coaps.db')}` });
    await store.applications.delete(appId);
    const files = await openArtefactFiles(join(data, 'artefacts'));
    swept = await files.sweep(await store.applications.artefactsInUse(), 3600);
    await store.close();
    rmSync(join(data, 'conpaas/services/7'), { recursive: true });
  };
  const old = Date.now() / 1000 - 100_000;
  const place = join(data, 'artefacts', sha256.slice(0, 2), sha256);
  utimesSync(place, old, old);
  let deleting: Promise<void> | undefined;
  const report = await backup('b.tar', (text) => {
    if (text.includes('rows so far')) deleting ??= told();
  });
  await deleting;
  expect(swept).toBe(0);
  expect(report).toMatchObject({ files: 4, artefacts: 1, warnings: [] });
  const names = await namesIn('b.tar');
  expect(names).toEqual(
    expect.arrayContaining([
      'data/secret.key',
      `data/${userData}`,
      'data/conpaas/services/7/code/code-abc',
      `artefacts/${sha256}`,
    ]),
  );
  expect(names.filter((name) => /manager\.log|uploads|agents|apps|incoming|coaps\.db|lock/.test(name))).toEqual([]);
  expect(names.at(-1)).toBe('checksums.json');
  expect(readdirSync(data).filter((name) => name.startsWith('backup-'))).toEqual([]);

  await restore('b.tar', at('copy'));
  const copy = await contentsOf(at('copy'));
  expect(copy).toMatchObject({ 'secret.key': createHash('sha256').update('the key').digest('hex') });
  expect(Object.keys(copy)).toEqual(expect.arrayContaining([userData, 'conpaas/services/7/code/code-abc']));
  const store = await openStore({ url: `sqlite:${at('copy')}/coaps.db` });
  expect((await store.applications.get(appId))?.versions[0]?.deployables[0]?.artefact?.sha256).toBe(sha256);
  await store.close();
  expect(await (await openArtefactFiles(join(at('copy'), 'artefacts'))).size(sha256)).toBe(2_500_000);
});

test('an artefact that is lost or damaged already is told of, and keeps no backup from being written', async () => {
  const [lost, damaged] = [await stored(randomBytes(1000)), await stored(randomBytes(1000))];
  const files = await openArtefactFiles(join(data, 'artefacts'));
  await files.remove(lost.sha256);
  put(`artefacts/${damaged.sha256.slice(0, 2)}/${damaged.sha256}`, randomBytes(1000));
  const { warnings } = await backup('b.tar');
  expect(warnings).toHaveLength(2);
  expect(warnings).toContainEqual(expect.stringContaining(`${lost.sha256} is not stored any more`));
  expect(warnings).toContainEqual(expect.stringContaining(`${damaged.sha256} is damaged`));
  expect((await restore('b.tar', at('copy'))).warnings).toEqual([expect.stringContaining(damaged.sha256)]);
});

test('a backup that is interrupted leaves nothing, and one whose name is taken does not begin', async () => {
  put('secret.key', 'the key');
  await stored(randomBytes(1000));
  for (const moment of ['rows so far', 'file 1', 'artefact 1']) {
    const interrupted = backup('b.tar', (text) => {
      if (text.includes(moment)) throw new Error('on purpose');
    });
    await expect(interrupted).rejects.toThrow('on purpose');
    expect(readdirSync(directory)).toEqual(['data']);
    expect(readdirSync(data).filter((name) => name.startsWith('backup-'))).toEqual([]);
  }
  writeFileSync(at('b.tar'), 'something else');
  await expect(backup('b.tar')).rejects.toThrow(/b.tar exists already/);
  expect(readFileSync(at('b.tar'), 'utf8')).toBe('something else');
  await expect(backup('none/b.tar')).rejects.toThrow(/The folder of .* does not exist/);
  await expect(writeBackup(configOf(at('never')), at('c.tar'), never)).rejects.toThrow(/nothing to back up/);
  expect(readdirSync(directory).sort()).toEqual(['b.tar', 'data']);
});

describe('a restore', () => {
  /** What is there before: another gateway's data. */
  let there: string;
  let before: Record<string, unknown>;
  beforeEach(async () => {
    there = at('there');
    openDataDirectory(there).release();
    await fillStore(join(there, 'coaps.db'), 3);
    put('secret.key', 'of the other', there);
    put('conpaas/services/1/code/code-x', 'of the other', there);
    before = await contentsOf(there);
    put('secret.key', 'ours');
    await stored(randomBytes(100_000));
    await backup('b.tar');
  });

  test('of a damaged, cut, strange or newer backup changes nothing', async () => {
    const good = readFileSync(at('b.tar'));
    const flipped = (at: number) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    };
    const artefact = good.indexOf('artefacts/') + 2000;
    const newer = Buffer.from(good.toString('latin1').replace('"format": 1', '"format": 9'), 'latin1');
    const [header = Buffer.alloc(0)] = [good.subarray(0, good.indexOf('store/'))];
    const bad: [RegExp, Buffer][] = [
      [/has another checksum/, flipped(artefact)],
      [/no complete tar|checksum|missing|does not belong/, flipped(10)],
      [/end is missing|no complete tar/, good.subarray(0, good.length - 3000)],
      [/end is missing|no complete tar/, good.subarray(0, artefact)],
      [/format 9/, newer],
      [/end is missing/, Buffer.concat([header, Buffer.alloc(1024)])],
      [/no backup/, Buffer.from('hello')],
      [/no backup/, Buffer.alloc(0)],
      [/no backup/, Buffer.alloc(10_240)],
    ];
    for (const [why, bytes] of bad) {
      writeFileSync(at('bad.tar'), bytes);
      await expect(restore('bad.tar', there, true)).rejects.toThrow(why);
    }
    await expect(restore('none.tar', there, true)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await contentsOf(there)).toEqual(before);
  });

  test('refuses what is not empty or in use; told to replace, it keeps what was there', async () => {
    await expect(restore('b.tar', there)).rejects.toThrow(/there is not empty/);
    const held = openDataDirectory(there);
    await expect(restore('b.tar', there, true).finally(() => held.release())).rejects.toMatchObject({
      name: 'DirectoryHeld',
    });
    expect(await contentsOf(there)).toEqual(before);

    const { aside } = await restore('b.tar', there, true);
    expect(await contentsOf(aside ?? '')).toEqual(before);
    rmSync(aside ?? '', { recursive: true });
    expect(await contentsOf(there)).toEqual(await contentsOf(data));
  });

  test('that fails at any moment leaves what was there', async () => {
    for (let deadly = 1, failed = true; failed; deadly++) {
      let reports = 0;
      const reason = await restore('b.tar', there, true, () => {
        if (++reports === deadly) throw new Error('on purpose');
      }).then(
        () => undefined,
        (error: Error) => error.message,
      );
      failed = reason !== undefined;
      if (failed) expect({ deadly, reason }).toEqual({ deadly, reason: 'on purpose' });
      if (failed) expect({ deadly, contents: await contentsOf(there) }).toEqual({ deadly, contents: before });
      else expect(deadly).toBeGreaterThan(5);
    }
  });

  test('that is killed at any moment is told of by the gateway, and undone by the next one', async () => {
    let told = 0;
    cpSync(there, at('rehearsal'), { recursive: true });
    await restore('b.tar', at('rehearsal'), true, () => {
      told += 1;
    });
    const verified = told;
    for (const deadly of [verified - 4, verified - 1]) {
      const { signal: ended } = spawnSync(
        process.execPath,
        [RESTORING, directory, at('b.tar'), there, String(deadly)],
        { stdio: 'ignore' },
      );
      expect(ended).toBe('SIGKILL');
      await expect(openGateway(configOf(there))).rejects.toThrow(/A restore .* was interrupted/);
      await expect(restore('b.tar', there)).rejects.toThrow(/there is not empty/);
      expect({ deadly, contents: await contentsOf(there) }).toEqual({ deadly, contents: before });
    }
  });
});
