import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { Fault } from '../../src/domain/errors.js';
import { sendRaw } from '../support/raw-socket.js';
import { type Listening, listen } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ limits: { artefact: 3 * 1024 ** 2, document: 64 * 1024 } });
});
afterAll(() => service.close());

const PATH = '/app/21/version';
const DESCRIPTOR = '<paas_version label="from the descriptor"/>';
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** What an archive may hold by chance: everything that a boundary is made of. */
const HARD = Buffer.concat([
  Buffer.from('PK\u0003\u0004\r\n--b\r\n--b-\r\n--'),
  randomBytes(70_000),
  Buffer.from('\r\n--bound\r\n\r\n--\r\n--b\r\r\n--'),
  Buffer.from([0, 13, 10, 45, 45]),
]);

interface Piece {
  headers: string[];
  body: Buffer | string;
}
function form(boundary: string, pieces: Piece[]): Buffer {
  return Buffer.concat([
    ...pieces.flatMap(({ headers, body }) => [
      Buffer.from(`--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}
const disposition = (rest: string) => `Content-Disposition: form-data; ${rest}`;
const file = (body: Buffer | string): Piece => ({ headers: [disposition('name="file"; filename="a.zip"')], body });
const descriptor: Piece = { headers: [disposition('name="descriptor"')], body: DESCRIPTOR };

async function upload(
  pieces: Piece[],
  type = 'multipart/form-data; boundary=bounds',
  boundary = 'bounds',
  at = service,
) {
  const answer = await at.request(PATH, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: form(boundary, pieces),
  });
  return { status: answer.status, text: answer.text, sha256: /sha256="(\w+)"/.exec(answer.text)?.[1] };
}

describe('A file is stored byte for byte when it comes', () => {
  test.each<[string, Piece, string?]>([
    ['as a browser sends it', file(HARD)],
    [
      'from the Accords client: without a filename',
      { headers: [disposition('name="file"'), 'Content-Type: application/octet-stream'], body: HARD },
    ],
    [
      'from Jersey: a nested multipart type before the disposition, no filename',
      { headers: ['Content-Type: multipart/form-data', disposition('name="file"')], body: HARD },
    ],
    [
      'from HttpClient: a transfer encoding, and a charset behind the boundary',
      {
        headers: [
          disposition('name="file"; filename="SampleServlet.war"'),
          'Content-Type: application/octet-stream',
          'Content-Transfer-Encoding: binary',
        ],
        body: HARD,
      },
      'multipart/form-data; boundary=bounds; charset=US-ASCII',
    ],
    ['under another name', { headers: [disposition('name="artefact"; filename="x.war"')], body: HARD }],
    ['as text/plain', { headers: [disposition('name="file"'), 'Content-Type: text/plain'], body: HARD }],
  ])('%s', async (...[, piece, type]) => {
    const answer = await upload([piece], type);
    expect(answer).toMatchObject({ status: 200, sha256: sha256(HARD) });
    expect(service.received.get(sha256(HARD))?.equals(HARD)).toBe(true);
  });

  test('whatever its bytes are, and however they are cut into packets', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }).map((array) => Buffer.from(array)),
      fc
        .array(fc.constantFrom('\r', '\n', '-', '--', '\r\n--', '\r\n--bounds', 'bounds', 'PK', '\0'), { minLength: 1 })
        .map((parts) => Buffer.from(parts.join('').replaceAll('\r\n--bounds', '\r\n--bound'))),
    );
    await fc.assert(
      fc.asyncProperty(
        bytes.filter((one) => one.toString().trimStart()[0] !== '<'),
        fc.integer({ min: 1, max: 500 }),
        async (content, cut) => {
          const body = form('bounds', [file(content)]);
          const head =
            `POST /CF-api/rest${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${Buffer.from('ada:se:cr:et').toString('base64')}\r\n` +
            `Content-Type: multipart/form-data; boundary=bounds\r\nTransfer-Encoding: chunked\r\n\r\n`;
          const pieces = Array.from({ length: Math.ceil(body.length / cut) }, (_, n) =>
            body.subarray(n * cut, (n + 1) * cut),
          );
          const chunked = pieces.flatMap((piece) => [
            Buffer.from(`${piece.length.toString(16)}\r\n`),
            piece,
            Buffer.from('\r\n'),
          ]);
          const answer = await sendRaw(
            service.port,
            Buffer.concat([Buffer.from(head), ...chunked, Buffer.from('0\r\n\r\n')]),
          );
          expect(answer.status).toBe(200);
          expect(service.received.get(sha256(content))?.equals(content)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('with the name that was sent, in any script', async () => {
    const named = async (filename: string) =>
      (await upload([{ headers: [disposition(`name="file"; filename="${filename}"`)], body: 'PK' }])).text;
    expect(await named('größe.war')).toContain('artefact="größe.war"');
    expect(await named('応用.zip')).toContain('artefact="応用.zip"');
  });
});

describe('A descriptor beside the file', () => {
  test.each<[string, Piece[]]>([
    ['before it', [descriptor, file(HARD)]],
    ['after it', [file(HARD), descriptor]],
    ['as a file', [{ headers: [disposition('name="descriptor"; filename="d.xml"')], body: DESCRIPTOR }, file(HARD)]],
    ['in a part of any name', [{ headers: [disposition('name="manifest"')], body: DESCRIPTOR }, file(HARD)]],
    [
      'as a file of any name',
      [file(HARD), { headers: [disposition('name="x"; filename="y"')], body: ` \n${DESCRIPTOR}` }],
    ],
    [
      'as JSON',
      [
        { headers: [disposition('name="descriptor"')], body: '{"paas_version":{"label":"from the descriptor"}}' },
        file(HARD),
      ],
    ],
    [
      'beside fields that mean nothing',
      [{ headers: [disposition('name="submit"')], body: 'OK' }, descriptor, file(HARD)],
    ],
  ])('%s', async (_, pieces) => {
    const answer = await upload(pieces);
    expect(answer).toMatchObject({ status: 200, sha256: sha256(HARD) });
    expect(answer.text).toContain('label="from the descriptor"');
  });

  test.each<[string, string, string]>([
    ['as XML', 'application/xml', DESCRIPTOR],
    ['as XML with a charset', 'application/xml; charset=utf-8', DESCRIPTOR],
    ['as JSON', 'application/json', '{"paas_version":{"label":"from the descriptor"}}'],
  ])('alone, %s', async (_, type, body) => {
    const { status, text } = await service.request(PATH, { method: 'POST', headers: { 'Content-Type': type }, body });
    expect([status, text]).toEqual([200, expect.stringContaining('label="from the descriptor"')]);
  });
});

describe('An upload is refused with its reason', () => {
  test.each<[string, Piece[], number, string]>([
    ['two files', [file('PK1'), file('PK2')], 400, 'InvalidParameter'],
    ['two descriptors', [descriptor, descriptor], 400, 'InvalidParameter'],
    ['a broken descriptor', [{ ...descriptor, body: '<paas_version' }, file('PK')], 400, 'InvalidValue'],
    ['a file that is refused', [file('BAD'), descriptor], 400, 'InvalidValue'],
    ['a file that is too large', [file(Buffer.alloc(3 * 1024 ** 2 + 1, 'P'))], 413, 'PayloadTooLarge'],
    [
      'a descriptor that is too large',
      [{ ...descriptor, body: `<a>${'x'.repeat(70_000)}</a>` }],
      413,
      'PayloadTooLarge',
    ],
    [
      'a descriptor as a file that is too large',
      [{ headers: [disposition('name="descriptor"; filename="d"')], body: `<a>${'x'.repeat(70_000)}</a>` }],
      413,
      'PayloadTooLarge',
    ],
    [
      'too many parts',
      Array.from({ length: 40 }, () => ({ headers: [disposition('name="a"')], body: '1' })),
      413,
      'PayloadTooLarge',
    ],
  ])('%s', async (_, pieces, status, code) => {
    const answer = await upload(pieces);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(`code="${code}"`)]);
  });

  test('without a boundary, or cut off before its end', async () => {
    const noBoundary = await upload([file('PK')], 'multipart/form-data');
    expect([noBoundary.status, noBoundary.text]).toEqual([400, expect.stringContaining('boundary')]);
    const whole = form('bounds', [file(HARD)]);
    for (const length of [10, 200, whole.length - 20, whole.length - 4]) {
      const cut = await service.request(PATH, {
        method: 'POST',
        headers: { 'Content-Type': 'multipart/form-data; boundary=bounds' },
        body: whole.subarray(0, length),
      });
      expect([length, cut.status]).toEqual([length, 400]);
    }
  });

  test('of another type: 415 names the way', async () => {
    const { status, text } = await service.request(PATH, {
      method: 'POST',
      headers: { 'Content-Type': 'application/zip' },
      body: 'PK',
    });
    expect([status, text]).toEqual([415, expect.stringContaining('multipart/form-data')]);
  });

  test('compressed: 415', async () => {
    const answer = await service.request(PATH, {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Encoding': 'gzip' },
      body: 'x',
    });
    expect(answer.status).toBe(415);
  });

  test('while the client still sends: it can read why', async () => {
    const size = 12 * 1024 ** 2;
    const body = form('bounds', [file(Buffer.alloc(size, 'P'))]);
    const answer = await sendRaw(
      service.port,
      Buffer.concat([
        Buffer.from(
          `POST /CF-api/rest${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${Buffer.from('ada:se:cr:et').toString('base64')}\r\n` +
            `Content-Type: multipart/form-data; boundary=bounds\r\nContent-Length: ${body.length}\r\n\r\n`,
        ),
        body,
      ]),
    );
    expect([answer.status, answer.text]).toEqual([413, expect.stringContaining('code="PayloadTooLarge"')]);
  });

  test('without reading it, when its caller is unknown', async () => {
    const answer = await service.request(PATH, {
      user: '',
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=bounds' },
      body: form('bounds', [file(Buffer.alloc(1024 ** 2, 'P'))]),
    });
    expect(answer.status).toBe(401);
  });
});

describe('Without a file', () => {
  const deploy = '/environment/1/action/deploy/app/21/version/1/instance/1';
  test.each<[string, Record<string, string>, string | Buffer | undefined]>([
    ['an empty POST', {}, undefined],
    ['an empty POST with a type', { 'Content-Type': 'application/xml' }, undefined],
    ['a length of 0', { 'Content-Length': '0' }, undefined],
    [
      'a form in which no file was chosen',
      { 'Content-Type': 'multipart/form-data; boundary=b' },
      form('b', [{ headers: ['Content-Type: multipart/form-data', disposition('name="file"')], body: '' }]),
    ],
    ['a form without parts', { 'Content-Type': 'multipart/form-data; boundary=b' }, Buffer.from('--b--\r\n')],
  ])('%s deploys what is there', async (_, headers, body) => {
    const answer = await service.request(deploy, { method: 'POST', headers, ...(body !== undefined && { body }) });
    expect(answer.status).toBe(200);
  });
});

describe('When the client goes in the middle of an upload', () => {
  test('the receiver is told, and the service goes on', async () => {
    let told: (reason: unknown) => void = () => undefined;
    const gone = new Promise<unknown>((resolve) => {
      told = resolve;
    });
    let started: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      started = resolve;
    });
    const other = await listen({
      artefacts: {
        async receive(source, _, signal) {
          started();
          try {
            for await (const chunk of source) void chunk;
            return { name: 'x', type: 'zip', size: 0, sha256: '' };
          } catch (error) {
            told(error);
            expect(signal.aborted || error instanceof Fault).toBe(true);
            throw error;
          }
        },
      },
    });
    const socket = connect(other.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /CF-api/rest${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${Buffer.from('ada:se:cr:et').toString('base64')}\r\n` +
        'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n' +
        '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nPK' +
        'x'.repeat(1000),
    );
    await begun;
    socket.destroy();
    expect(await gone).toBeDefined();
    expect((await other.request('/app/21')).status).toBe(200);
    await other.close();
  });
});
