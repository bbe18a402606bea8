import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from '../../../src/conpaas/cloud/cloud.js';
import { Fault } from '../../../src/domain/errors.js';
import { zip } from '../../archives/pack.js';
import type { Row } from '../../conpaas/conpaas-client.js';
import { openSystem } from '../../conpaas/system-rig.js';
import { answerIn, exchange, firstLine, headerText } from '../exchange.js';
import { type OpenTarget, type Target, Violation } from '../target.js';

const CALL = (method: string, params: object) => `POST application/json\n${JSON.stringify({ method, params, id: 1 })}`;
const UPLOAD = (bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(
      'POST multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name="method"\r\n\r\nupload_code_version\r\n' +
        '--b\r\nContent-Disposition: form-data; name="description"\r\n\r\nd\r\n' +
        '--b\r\nContent-Disposition: form-data; name="code"; filename="a.zip"\r\nContent-Type: application/zip\r\n\r\n',
    ),
    bytes,
    Buffer.from('\r\n--b--\r\n'),
  ]);

/** JSON-RPC of a manager. First line: `GET query` or `POST content type`; the rest is the body. */
export const MANAGER: Target = {
  name: 'manager',
  covers: ['/src/conpaas/manager/', '/src/conpaas/http/', '/multer/'],
  seeds: () => [
    ...[
      'GET method=get_service_info&id=1&params={}',
      'GET method=list_code_versions&id=1',
      'GET method=download_code_version&id=1&params={"codeVersionId":"code-default"}',
      'GET method=get_node_info&id=1&params={"serviceNodeId":"iaas1"}',
      'GET method=getLog&id=1&params={}',
      CALL('startup', { cloud: 'default' }),
      CALL('shutdown', {}),
      CALL('enable_code', { codeVersionId: 'code-default' }),
      CALL('delete_code_version', { codeVersionId: 'code-abcdef' }),
      CALL('add_nodes', { backend: 1, cloud: 'default' }),
      CALL('remove_nodes', { backend: 1 }),
      CALL('update_php_configuration', { phpconf: { memory_limit: '32M' }, codeVersionId: 'code-default' }),
      CALL('update_settings', { variables: { A: 'b' }, memory: 64, backends: 2, codeVersionId: 'code-default' }),
      CALL('undo', {}),
      CALL('reset', {}),
    ].map((text) => Buffer.from(text)),
    UPLOAD(zip([{ name: 'index.php', content: '<?php echo 1;' }])),
  ],
  words: [
    'get_settings',
    'get_configuration',
    'get_service_history',
    'list_nodes',
    'upload_startup_script',
    'get_startup_script',
    'get_service_performance',
    'delete',
    'migrate_nodes',
    '"params":',
    '"method":',
    '"id":',
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    'null',
    'true',
    '-1',
    '1e9',
    '"1"',
    '"__proto__":{"a":1}',
    'constructor',
    '\\u0000',
    '\\ud800',
    '&method=',
    '%00',
    '%',
    '+',
    'application/json-rpc',
    'multipart/form-data',
    '; boundary=b',
    'name="method"',
    'name="code"',
    'filename="',
    '\r\n',
    '../',
    '{}',
    '""',
    'code-default',
    'phpconf',
    'variables',
    'COAPS_X',
    'PORT',
  ],
  open: openManager,
};

/** No agent comes into being: what a transition then does, the manager's own tests show. */
const EMPTY_CLOUD: Cloud = {
  name: 'default',
  newInstance: () => Promise.reject(new Fault('ServiceUnavailable', 'There is no room in this cloud.')),
  revive: () => Promise.reject(new Fault('ServiceUnavailable', 'There is no room in this cloud.')),
  kill: async () => {},
  halt: async () => {},
  list: async () => [],
};

async function openManager(): Promise<OpenTarget> {
  const rig = await openSystem({ cloud: EMPTY_CLOUD });
  const owner = await rig.user('ann');
  const { authority, certificate, key, managerPort } = owner.options;
  let row: Row = await owner.create('php');
  const send = async (head: string, body: Buffer) => {
    const lines = `${head}\r\nHost: manager\r\nContent-Length: ${body.length}\r\n\r\n`;
    const tls = { host: row.manager, port: managerPort, ca: authority, checkServerIdentity: () => undefined };
    const credential = { ...(certificate !== undefined && { cert: certificate }), ...(key !== undefined && { key }) };
    return answerIn(await exchange({ ...tls, ...credential }, Buffer.concat([Buffer.from(lines, 'latin1'), body])));
  };
  return {
    async run(input) {
      const [line, body] = firstLine(input);
      const isGet = line.startsWith('GET ');
      const rest = line.replace(/^\w* ?/, '');
      const head = isGet
        ? `GET /?${encodeURI(rest).replaceAll('%25', '%')} HTTP/1.1\r\nContent-Type: application/json`
        : `POST / HTTP/1.1\r\nContent-Type: ${headerText(Buffer.from(rest, 'latin1'))}`;
      const answer = await send(head, isGet ? Buffer.alloc(0) : body);
      judge(answer);
      await roundTrip(input, answer, send);
      const left = readdirSync(join(rig.data, 'conpaas', 'services', String(row.sid), 'uploads'));
      if (left.length > 0) throw new Violation(`${left.length} uploads are left`);
      if (await isGone(owner, row)) row = await owner.create('php');
    },
    close: () => rig.close(),
  };
}

/** 0: the manager hung up, as the original does when the protocol is broken. */
function judge({ status, body }: { status: number; body: Buffer }): void {
  if (status >= 500) throw new Violation(`it was answered with ${status}: ${body.toString().slice(0, 300)}`);
  const text = body.toString();
  if (text.includes('an inner failure')) throw new Violation(`a method failed inside: ${text}`);
  if (status !== 200 || !text.startsWith('{')) return;
  const answer = JSON.parse(text) as Record<string, unknown>;
  if (!('result' in answer) && typeof answer['error'] !== 'string')
    throw new Violation(`it answers ${text.slice(0, 300)}`);
}

type Send = (head: string, body: Buffer) => Promise<{ status: number; body: Buffer }>;

/** Code that was taken is given back byte by byte. */
async function roundTrip(input: Buffer, { status, body }: { status: number; body: Buffer }, send: Send): Promise<void> {
  const id = /^\{"id":1,"result":\{"codeVersionId":"(code-\w+)"\}/.exec(status === 200 ? body.toString() : '')?.[1];
  if (id === undefined) return;
  const params = encodeURIComponent(JSON.stringify({ codeVersionId: id }));
  const head = (method: string) =>
    `GET /?method=${method}&id=1&params=${params} HTTP/1.1\r\nContent-Type: application/json`;
  const code = await send(head('download_code_version'), Buffer.alloc(0));
  if (code.status !== 200 || !input.includes(code.body)) {
    const sha256 = createHash('sha256').update(code.body).digest('hex');
    throw new Violation(`code came back otherwise (${code.status}, ${code.body.length} bytes, ${sha256})`);
  }
  const removal = Buffer.from(JSON.stringify({ method: 'delete_code_version', params: { codeVersionId: id }, id: 1 }));
  await send('POST / HTTP/1.1\r\nContent-Type: application/json', removal);
}

async function isGone(owner: { json(path: string): Promise<unknown> }, { sid }: Row): Promise<boolean> {
  const rows = (await owner.json('list')) as (Row & { state: string })[];
  return !rows.some((one) => one.sid === sid && one.state !== 'EPILOGUE');
}
