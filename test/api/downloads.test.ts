import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { BASIC, type Listening, listen, plainHandlers } from './service.js';
import { artefact, BYTES } from './values.js';

let service: Listening;
beforeAll(async () => {
  service = await listen({ publicUrl: 'http://h' });
});
afterAll(() => service.close());

const handlers = plainHandlers();
const get = (path: string, headers: Record<string, string> = {}) => service.request(path, { headers });

describe('A download', () => {
  const path = '/artefact/21/1/petclinic.war';
  const etag = `"${artefact.sha256}"`;
  async function part(headers: Record<string, string>) {
    const answer = await get(path, headers);
    return [answer.status, answer.text, answer.headers['content-range']];
  }

  test('is the bytes, with their tag', async () => {
    const answer = await get(path);
    expect([answer.status, answer.body.equals(BYTES)]).toEqual([200, true]);
    expect(answer.headers).toMatchObject({
      etag,
      'accept-ranges': 'bytes',
      'content-type': 'application/octet-stream',
      'content-length': '10',
      'content-disposition': `attachment; filename="petclinic.war"; filename*=UTF-8''petclinic.war`,
    });
  });

  test.each<[string, Record<string, string>, unknown[]]>([
    ['from a byte', { Range: 'bytes=4-' }, [206, '456789', 'bytes 4-9/10']],
    ['a part', { Range: 'bytes=0-0' }, [206, '0', 'bytes 0-0/10']],
    ['a part that goes beyond', { Range: 'bytes=8-99' }, [206, '89', 'bytes 8-9/10']],
    ['the last bytes', { Range: 'bytes=-3' }, [206, '789', 'bytes 7-9/10']],
    ['more last bytes than there are', { Range: 'bytes=-30' }, [206, '0123456789', 'bytes 0-9/10']],
    ['several parts: the whole', { Range: 'bytes=0-1,4-5' }, [200, '0123456789', undefined]],
    ['another unit: the whole', { Range: 'lines=1-2' }, [200, '0123456789', undefined]],
    ['a range backwards: the whole', { Range: 'bytes=5-2' }, [200, '0123456789', undefined]],
    ['of the same tag', { Range: 'bytes=4-', 'If-Range': etag }, [206, '456789', 'bytes 4-9/10']],
    ['of another tag: the whole', { Range: 'bytes=4-', 'If-Range': '"other"' }, [200, '0123456789', undefined]],
    ['of what the client has', { 'If-None-Match': etag }, [304, '', undefined]],
    ['of what it has, among others', { 'If-None-Match': `"x", W/${etag}` }, [304, '', undefined]],
  ])('gives %s', async (_, headers, expected) => {
    expect(await part(headers)).toEqual(expected);
  });

  test.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])('refuses %s, and tells the size', async (Range) => {
    const answer = await get(path, { Range });
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */10']);
    expect(answer.text).toContain('code="RangeNotSatisfiable"');
  });

  test('of an unknown artefact is 404', async () => {
    expect((await get('/artefact/21/1/other.war')).status).toBe(404);
  });

  test('whose file breaks off does not look whole', async () => {
    const broken = () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('0123');
          throw new Error('The disk is gone');
        })(),
      );
    const other = await listen({ handlers: { ...handlers, downloadArtefact: () => ({ artefact, open: broken }) } });
    await expect(other.request(path)).rejects.toThrow();
    await other.close();
  });

  test('names a file of any script', async () => {
    const strange = { ...artefact, name: `a"ü'(1)\r\n.war` };
    const other = await listen({
      handlers: { ...handlers, downloadArtefact: () => ({ artefact: strange, open: () => Readable.from([BYTES]) }) },
    });
    expect((await other.request(path)).headers['content-disposition']).toBe(
      `attachment; filename="a__'(1)__.war"; filename*=UTF-8''a%22%C3%BC%27%281%29%0D%0A.war`,
    );
    await other.close();
  });
});

describe('Logs', () => {
  const path = '/app/21/version/1/instance/1/logs';

  test('are text as it comes, with the parameters that were asked for', async () => {
    const answer = await get(`${path}?lines=3`);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.text).toBe('one\n\u001b[31mlines=3\u001b[0m\n');
  });

  test('that follow begin before there is a line, and end when the client goes', async () => {
    const logs = new Readable({ read: () => undefined });
    const closed = new Promise((resolve) => logs.once('close', resolve));
    const other = await listen({
      handlers: {
        ...handlers,
        getInstanceLogs: (call) => {
          expect(call.query.follow).toBe(true);
          return logs;
        },
      },
    });
    const client = connect(other.port, '127.0.0.1');
    client.write(`GET /CF-api/rest${path}?follow=true HTTP/1.1\r\nHost: x\r\n${BASIC}\r\n\r\n`);
    await seen(client, '200 OK');
    logs.push('a line\n');
    await seen(client, 'a line\n');
    client.destroy();
    await closed;
    expect(logs.destroyed).toBe(true);
    await other.close();
  });
});

/** Waits until a text has come. */
function seen(client: Socket, wanted: string): Promise<void> {
  let text = '';
  return new Promise((resolve) => {
    client.on('data', (chunk) => {
      text += chunk.toString();
      if (text.includes(wanted)) resolve();
    });
  });
}
