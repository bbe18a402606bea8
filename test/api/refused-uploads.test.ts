import { connect } from 'node:net';
import { Fault } from '../../src/domain/errors.js';
import { sendRaw } from '../support/raw-socket.js';
import { descriptor, disposition, file, form, HARD, PATH, type Piece, postForm } from './forms.js';
import { BASIC, type Listening, listen } from './service.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ limits: { artefact: 3 * 1024 ** 2, document: 64 * 1024 } });
});
afterAll(() => service.close());

const upload = (pieces: Piece[], type?: string) => postForm(service, pieces, type);

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
          `POST /CF-api/rest${PATH} HTTP/1.1\r\nHost: x\r\n${BASIC}\r\n` +
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
        admit: async () => undefined,
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
      `POST /CF-api/rest${PATH} HTTP/1.1\r\nHost: x\r\n${BASIC}\r\n` +
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
