import * as fc from 'fast-check';
import { sendRaw } from '../support/raw-socket.js';
import { DESCRIPTOR, descriptor, disposition, file, form, HARD, PATH, type Piece, postForm, sha256 } from './forms.js';
import { BASIC, type Listening, listen } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ limits: { artefact: 3 * 1024 ** 2, document: 64 * 1024 } });
});
afterAll(() => service.close());

const upload = (pieces: Piece[], type?: string) => postForm(service, pieces, type);

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
      fc.asyncProperty(bytes.filter(isFile), fc.integer({ min: 1, max: 500 }), async (content, cut) => {
        const body = form('bounds', [file(content)]);
        const head =
          `POST /CF-api/rest${PATH} HTTP/1.1\r\nHost: x\r\n${BASIC}\r\n` +
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
      }),
      { numRuns: 60 },
    );
  });

  test('also when its second byte is the one that begins XML', async () => {
    const content = Buffer.from([0xff, 0x3c, 0x61, 0x3e]);
    expect(await upload([file(content)])).toMatchObject({ status: 200, sha256: sha256(content) });
  });

  test('with the name that was sent, in any script', async () => {
    const named = async (filename: string) =>
      (await upload([{ headers: [disposition(`name="file"; filename="${filename}"`)], body: 'PK' }])).text;
    expect(await named('größe.war')).toContain('artefact="größe.war"');
    expect(await named('応用.zip')).toContain('artefact="応用.zip"');
  });
});

/** Neither a descriptor, nor anything that begins with the boundary: the end of the part's head and it would be one. */
function isFile(content: Buffer): boolean {
  const text = content.toString('latin1');
  return !text.startsWith('--bounds') && !/^\s*</.test(content.toString());
}

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
