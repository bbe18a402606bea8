import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { DEFAULT_ARCHIVE_LIMITS } from '../../src/archives/index.js';
import { plainName } from '../../src/services/artefact-names.js';
import { type Artefacts, createArtefacts } from '../../src/services/artefacts.js';
import { openArtefactFiles } from '../../src/store/artefact-files.js';
import { tar, zip } from '../archives/pack.js';
import { application } from '../contract/store/rows.js';
import { type OpenedStore, openTemporaryStore } from '../support/opened-store.js';

const WAR = zip([{ name: 'WEB-INF/web.xml', content: '<web-app/>' }]);
const ZIP = zip([{ name: 'package.json', content: '{}' }]);
const DAYS = 24 * 3600;

describe('artefacts', () => {
  let opened: OpenedStore;
  let artefacts: Artefacts;
  let folder: string;
  let drop: string;
  const never = new AbortController().signal;

  beforeEach(async () => {
    opened = await openTemporaryStore();
    folder = join(opened.folder, 'artefacts');
    drop = join(opened.folder, 'drop');
    mkdirSync(drop);
    artefacts = createArtefacts({
      files: await openArtefactFiles(folder),
      store: opened.store,
      limits: { size: 100_000, archive: DEFAULT_ARCHIVE_LIMITS },
      dropFolder: drop,
    });
  });
  afterEach(() => opened.close());

  const stored = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  const receive = (bytes: Buffer, name?: string) => artefacts.receive(Readable.from([bytes]), name, never);

  test('are received with their type found in the content, whatever they are called', async () => {
    const sha256 = createHash('sha256').update(WAR).digest('hex');
    expect(await receive(WAR, 'petclinic.zip')).toEqual({
      name: 'petclinic.zip',
      type: 'war',
      size: WAR.length,
      sha256,
    });
    expect(stored()).toEqual([sha256]);
    expect(await receive(ZIP, 'app.war')).toMatchObject({ type: 'zip' });
    expect(await receive(tar([{ name: 'index.html', content: 'x' }]), 'site.tar')).toMatchObject({ type: 'zip' });
  });

  test.each([
    ['C:\\fakepath\\petclinic.war', 'petclinic.war'],
    ['/srv/app/petclinic.war', 'petclinic.war'],
    ['../../etc/pass\u0000wd', 'passwd'],
    ['Üñï çødé.war', 'Üñï çødé.war'],
    ['..', undefined],
    ['a/', undefined],
    [' \n ', undefined],
    [undefined, undefined],
    ['x'.repeat(300), 'x'.repeat(255)],
  ])('the file name %j becomes %j', async (given, plain) => {
    expect(plainName(given)).toBe(plain);
    expect((await receive(WAR, given)).name).toBe(plain ?? 'artefact.war');
  });

  test.each<[string, Buffer, string]>([
    ['no archive', Buffer.from('hello'), 'InvalidValue'],
    ['nothing', Buffer.alloc(0), 'InvalidValue'],
    ['a torn archive', WAR.subarray(0, WAR.length - 30), 'InvalidValue'],
    ['an archive that climbs out', zip([{ name: '../evil', content: 'x' }]), 'InvalidValue'],
    ['more than the limit', zip([{ name: 'big', content: randomBytes(150_000) }]), 'PayloadTooLarge'],
  ])('%s is refused and not kept', async (_, bytes, code) => {
    await expect(receive(bytes, 'a.war')).rejects.toMatchObject({ code });
    expect(stored()).toEqual([]);
  });

  test('are downloaded whole and in ranges, each time anew; lost bytes are NotFound', async () => {
    const artefact = await receive(WAR, 'a.war');
    const download = await artefacts.download(artefact);
    expect(download.artefact).toEqual(artefact);
    for (let time = 0; time < 2; time++) expect((await buffer(download.open())).equals(WAR)).toBe(true);
    expect((await buffer(download.open({ start: 1, end: 3 }))).equals(WAR.subarray(1, 4))).toBe(true);
    const lost = { ...artefact, sha256: '0'.repeat(64) };
    await expect(artefacts.download(lost)).rejects.toMatchObject({ code: 'NotFound' });
    expect(await artefacts.hold(lost)).toBe(false);
  });

  test('a sweep keeps what a version holds, what is young and what is held', async () => {
    const sent = [];
    for (const content of ['used', 'held', 'young', 'unused']) {
      sent.push(await receive(zip([{ name: 'index.html', content }]), `${content}.zip`));
    }
    const [used, held, young, unused] = sent;
    if (!used || !held || !young || !unused) throw new Error('not received');
    await opened.store.applications.create(
      application({
        versions: [{ deployables: [{ name: 'a', contentType: 'artifact', artefact: used }], instances: [] }],
      }),
    );
    const then = Date.now() / 1000 - 2 * DAYS;
    for (const { sha256 } of [used, held, unused]) utimesSync(join(folder, sha256.slice(0, 2), sha256), then, then);
    expect(await artefacts.hold(held)).toBe(true);
    expect(await artefacts.sweep()).toBe(1);
    expect(stored().sort()).toEqual([used.sha256, held.sha256, young.sha256].sort());
  });

  describe('from the drop folder', () => {
    test('a regular file with exactly the name is copied', async () => {
      writeFileSync(join(drop, 'petclinic.war'), WAR);
      expect(await artefacts.importDropped('petclinic.war', never)).toMatchObject({
        name: 'petclinic.war',
        type: 'war',
      });
      expect(readFileSync(join(drop, 'petclinic.war')).equals(WAR)).toBe(true);
      expect(stored()).toHaveLength(1);
    });

    test.each([
      'petclinic',
      'PETCLINIC.WAR',
      './petclinic.war',
      'sub/inner.war',
      '../outside.war',
      '',
      '.',
      '..',
      'a\0',
    ])('%j finds nothing', async (name) => {
      writeFileSync(join(drop, 'petclinic.war'), WAR);
      mkdirSync(join(drop, 'sub'));
      writeFileSync(join(drop, 'sub', 'inner.war'), WAR);
      writeFileSync(join(drop, '..', 'outside.war'), WAR);
      expect(await artefacts.importDropped(name, never)).toBeUndefined();
    });

    test('a link, a directory, a pipe and what is no archive are refused with words', async () => {
      writeFileSync(join(opened.folder, 'secret.war'), WAR);
      symlinkSync(join(opened.folder, 'secret.war'), join(drop, 'link.war'));
      mkdirSync(join(drop, 'folder.war'));
      execFileSync('mkfifo', [join(drop, 'pipe.war')]);
      writeFileSync(join(drop, 'text.war'), 'text');
      for (const [name, words] of [
        ['link.war', 'is a symbolic link'],
        ['folder.war', 'is no regular file'],
        ['pipe.war', 'is no regular file'],
      ] as const) {
        const refused = artefacts.importDropped(name, never);
        await expect(refused).rejects.toMatchObject({ code: 'InvalidValue', message: expect.stringContaining(words) });
      }
      await expect(artefacts.importDropped('text.war', never)).rejects.toMatchObject({ code: 'InvalidValue' });
      expect(stored()).toEqual([]);
    });

    test('without one nothing is found', async () => {
      const files = await openArtefactFiles(folder);
      const limits = { size: 100, archive: DEFAULT_ARCHIVE_LIMITS };
      const without = createArtefacts({ files, store: opened.store, limits });
      expect(await without.importDropped('petclinic.war', never)).toBeUndefined();
    });
  });
});
