import { readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_ARCHIVE_LIMITS } from '../../src/archives/index.js';
import { type ArtefactLimits, type Artefacts, createArtefacts } from '../../src/services/artefacts.js';
import { openArtefactFiles } from '../../src/store/artefact-files.js';
import { zip } from '../archives/pack.js';
import { type OpenedStore, openTemporaryStore } from '../support/opened-store.js';

const WAR = zip([{ name: 'WEB-INF/web.xml', content: '<web-app/>' }]);
const BAD = { code: 'InvalidValue', status: 400 };

describe('an artefact by URL', () => {
  let opened: OpenedStore;
  let server: Server;
  let base: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let requests: IncomingMessage[];
  const never = new AbortController().signal;

  beforeEach(async () => {
    opened = await openTemporaryStore();
    requests = [];
    answer = (_, response) => response.end(WAR);
    server = createServer((request, response) => {
      requests.push(request);
      answer(request, response);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await opened.close();
  });

  const fetching = async (limits: Partial<ArtefactLimits> = {}): Promise<Artefacts> =>
    createArtefacts({
      files: await openArtefactFiles(join(opened.folder, 'artefacts')),
      store: opened.store,
      limits: { size: 100_000, archive: DEFAULT_ARCHIVE_LIMITS, allowPrivate: true, ...limits },
    });
  const fetchFrom = async (url: string, limits?: Partial<ArtefactLimits>, name?: string, signal = never) =>
    (await fetching(limits)).fetch(url, name, signal);
  const kept = () =>
    readdirSync(join(opened.folder, 'artefacts'), { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );

  test('is fetched and stored under its name, or the last one of its path', async () => {
    expect(await fetchFrom(`${base}/a/pet%20clinic.war?token=x`)).toMatchObject({
      name: 'pet clinic.war',
      type: 'war',
    });
    expect(await fetchFrom(`${base}/x`, {}, 'petclinic.war')).toMatchObject({
      name: 'petclinic.war',
      size: WAR.length,
    });
    expect(await fetchFrom(`${base}/`)).toMatchObject({ name: 'artefact.war' });
    expect(await fetchFrom(`${base}/%zz.war`)).toMatchObject({ name: '%zz.war' });
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test('is followed through five redirects, relative ones too, and no further', async () => {
    let hops = 5;
    answer = (_, response) => {
      if (hops-- > 0) response.writeHead(302, { location: '../next' }).end('moved');
      else response.end(WAR);
    };
    expect(await fetchFrom(`${base}/a/b.war`)).toMatchObject({ name: 'b.war' });
    hops = 6;
    await expect(fetchFrom(`${base}/a/b.war`)).rejects.toMatchObject({
      ...BAD,
      message: expect.stringMatching(/more than 5/),
    });
  });

  test.each([
    'ftp://example.org/a.war',
    'file:///etc/passwd',
    'data:application/zip;base64,AAAA',
    'a.war',
    '',
    'http://',
    'http://user:geheim@127.0.0.1/a.war',
  ])('%j is refused', async (url) => {
    const failure: unknown = await fetchFrom(url).catch((error: unknown) => error);
    expect(failure).toMatchObject(BAD);
    expect(String(failure)).not.toContain('geheim');
  });

  test.each(['file:///etc/passwd', 'ftp://127.0.0.1/a', 'http://u:p@127.0.0.1/'])(
    'a redirect to %s is refused',
    async (location) => {
      answer = (_, response) => response.writeHead(301, { location }).end();
      await expect(fetchFrom(`${base}/a.war`)).rejects.toMatchObject(BAD);
    },
  );

  test.each<[string, typeof answer, string]>([
    ['404', (_, response) => response.writeHead(404).end('token=secret'), 'InvalidValue'],
    ['500', (_, response) => response.writeHead(500).end(), 'InvalidValue'],
    ['304 without a body', (_, response) => response.writeHead(304).end(), 'InvalidValue'],
    ['a redirect to nowhere', (_, response) => response.writeHead(302).end(), 'InvalidValue'],
    ['no archive', (_, response) => response.end('<html>log in first</html>'), 'InvalidValue'],
    ['an encoding', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(WAR), 'InvalidValue'],
    [
      'an announced size',
      (_, response) => response.writeHead(200, { 'content-length': 200_000 }).flushHeaders(),
      'PayloadTooLarge',
    ],
    ['too many bytes', (_, response) => response.end(Buffer.alloc(200_000)), 'PayloadTooLarge'],
    [
      'a torn body',
      (_, response) => {
        response.writeHead(200, { 'content-length': WAR.length }).write(WAR.subarray(0, 50));
        setImmediate(() => response.destroy());
      },
      'InvalidValue',
    ],
    ['a connection that breaks', (request) => request.socket.destroy(), 'InvalidValue'],
  ])('an answer with %s is refused, and nothing is kept', async (_, given, code) => {
    answer = given;
    const failure: unknown = await fetchFrom(`${base}/a.war`).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).not.toContain('secret');
    expect(kept()).toEqual([]);
  });

  test('that nobody serves is refused with a word why', async () => {
    await expect(fetchFrom('http://127.0.0.1:1/a.war')).rejects.toMatchObject({
      ...BAD,
      message: expect.stringMatching(/ECONNREFUSED/),
    });
    await expect(fetchFrom('http://no-such-host.invalid/a.war')).rejects.toMatchObject(BAD);
  });

  test('that dribbles for ever ends at its time limit', async () => {
    const dribbles: NodeJS.Timeout[] = [];
    answer = (_, response) => void dribbles.push(setInterval(() => response.write('x'), 20));
    try {
      const slow = fetchFrom(`${base}/a.war`, { fetchSeconds: 0.3 });
      await expect(slow).rejects.toMatchObject({ ...BAD, message: expect.stringMatching(/longer than 0.3 seconds/) });
    } finally {
      for (const dribble of dribbles) clearInterval(dribble);
    }
    expect(kept()).toEqual([]);
  });

  test.each(['before the answer', 'within the body'])('ends with its request, %s', async (moment) => {
    const aborting = new AbortController();
    answer = (_, response) => {
      if (moment === 'within the body') response.write(WAR.subarray(0, 50));
      setImmediate(() => aborting.abort(new Error('the client has gone')));
    };
    await expect(fetchFrom(`${base}/a.war`, {}, undefined, aborting.signal)).rejects.toMatchObject({
      message: expect.stringMatching(/client has gone|aborted/),
    });
    expect(kept()).toEqual([]);
  });

  describe('without leave for private addresses', () => {
    const refused = { ...BAD, message: expect.stringMatching(/no public address/) };

    test.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0', '127.1', '[::]'])(
      '%s is not reached',
      async (host) => {
        const url = `http://${host}:${new URL(base).port}/a.war`;
        await expect(fetchFrom(url, { allowPrivate: false })).rejects.toMatchObject(refused);
        expect(requests).toEqual([]);
      },
    );

    test.each(['10.1.2.3', '192.168.0.1', '169.254.169.254', '100.64.0.1', '[fd00::1]', '[fe80::1]'])(
      '%s is not asked for',
      async (host) => {
        await expect(fetchFrom(`https://${host}/a`, { allowPrivate: false })).rejects.toMatchObject(refused);
      },
    );
  });

  test('the bench serves: what was refused above could have been reached', async () => {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect(Number(new URL(base).port), '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    expect(reached).toBe(true);
  });
});
