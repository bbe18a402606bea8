import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import yauzl from 'yauzl';

export interface ClientOptions {
  director: string;
  managerPort: number;
  /** PEM. */
  authority: string;
  certificate?: string;
  key?: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  text: string;
}

export interface Asked {
  method?: string;
  /** Sent as urlencoded body. */
  form?: Record<string, string>;
  /** Sent as multipart/form-data. */
  parts?: Record<string, string | { name: string; bytes: Buffer }>;
  query?: Record<string, string>;
  body?: string;
  headers?: Record<string, string>;
  /** Sends the whole URL as request target, as cps-tools 2.0 does. */
  absolute?: boolean;
}

/** A client that says what cpsclient and cps-tools say, and no more. */
export interface ConpaasClient {
  readonly options: ClientOptions;
  send(path: string, asked?: Asked): Promise<Answer>;
  /** The Director's answer as JSON. */
  json(path: string, asked?: Asked): Promise<unknown>;
  withCertificates(username: string, password: string): Promise<ConpaasClient>;
  with(options: Partial<ClientOptions>): ConpaasClient;
  manager(address: string): ManagerClient;
  /** Creates a service and gives its row. */
  create(type: string, form?: Record<string, string>): Promise<Row>;
}

export interface Row {
  sid: number;
  manager: string;
  name: string;
  type: string;
  state: string;
  application_id: number;
  vmid: string;
}

export interface ManagerClient {
  send(asked: Asked): Promise<Answer>;
  get(method: string, params?: object): Promise<Rpc>;
  post(method: string, params?: object): Promise<Rpc>;
  upload(method: string, parts: NonNullable<Asked['parts']>): Promise<Rpc>;
  /** Polls get_service_info as the clients do, until the state is one of these. */
  until(...states: string[]): Promise<string>;
}

export interface Rpc {
  id?: unknown;
  result?: unknown;
  error?: unknown;
}

export function createConpaasClient(options: ClientOptions): ConpaasClient {
  const { director } = options;
  const client: ConpaasClient = {
    options,
    send: (path, asked) => send(options, new URL(path, `${director}/`), asked),
    json: async (path, asked) => JSON.parse((await client.send(path, { method: 'POST', ...asked })).text),
    async withCertificates(username, password) {
      const { body } = await client.send('getcerts', { method: 'POST', form: { username, password } });
      const files = await unzip(body);
      return createConpaasClient({
        ...options,
        certificate: files['cert.pem'] ?? '',
        key: files['key.pem'] ?? '',
        authority: files['ca_cert.pem'] ?? '',
      });
    },
    with: (changes) => createConpaasClient({ ...options, ...changes }),
    manager: (address) => managerClient(options, address),
    async create(type, form = {}) {
      const row = (await client.json(`start/${type}`, { form })) as Row & { error?: boolean; msg?: string };
      if (row.error) throw new Error(row.msg);
      return row;
    },
  };
  return client;
}

function managerClient(options: ClientOptions, address: string): ManagerClient {
  const url = new URL(`https://${address}:${options.managerPort}/`);
  const rpc = async (asked: Asked): Promise<Rpc> => {
    const answer = await send(options, url, asked);
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${answer.text}`);
    return JSON.parse(answer.text) as Rpc;
  };
  const json = { 'content-type': 'application/json' };
  const manager: ManagerClient = {
    send: (asked) => send(options, url, asked),
    get: (method, params) =>
      rpc({
        method: 'GET',
        query: { method, id: '1', ...(params && { params: JSON.stringify(params) }) },
        headers: json,
      }),
    post: (method, params = {}) =>
      rpc({ method: 'POST', body: JSON.stringify({ method, params, id: '1' }), headers: json }),
    upload: (method, parts) => rpc({ method: 'POST', parts: { method, ...parts } }),
    async until(...states) {
      for (let tries = 0; tries < 600; tries++) {
        const { result, error } = await manager.get('get_service_info');
        if (error) throw new Error(String(error));
        const { state } = result as { state: string };
        if (states.includes(state)) return state;
        await wait(100);
      }
      throw new Error(`The service came to none of ${states.join(', ')}`);
    },
  };
  return manager;
}

function send(options: ClientOptions, base: URL, asked: Asked = {}): Promise<Answer> {
  const url = new URL(base);
  for (const [name, value] of Object.entries(asked.query ?? {})) url.searchParams.set(name, value);
  const { body, type } = bodyOf(asked);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: asked.method ?? 'GET',
        ...(asked.absolute ? { path: url.href } : {}),
        agent: false,
        ca: options.authority,
        cert: options.certificate,
        key: options.key,
        // The clients check the authority and the role, never a host name.
        checkServerIdentity: () => undefined,
        headers: { ...(type && { 'content-type': type, 'content-length': body.length }), ...asked.headers },
      },
      (response) => {
        // Old clients read to the end of the stream: the connection must end by itself.
        buffer(response).then(
          (bytes) =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: bytes,
              text: bytes.toString('utf8'),
            }),
          reject,
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function bodyOf({ form, parts, body }: Asked): { body: Buffer; type?: string } {
  if (form)
    return { body: Buffer.from(new URLSearchParams(form).toString()), type: 'application/x-www-form-urlencoded' };
  if (!parts) return { body: Buffer.from(body ?? '') };
  // As cpsclient's: an unquoted `$`.
  const boundary = `----------_BoUnDaRy_StRiNg_$${randomBytes(4).toString('hex')}`;
  const pieces = Object.entries(parts).flatMap(([name, part]) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`;
    if (typeof part === 'string') return [Buffer.from(`${head}\r\n\r\n${part}\r\n`)];
    const more = `${head}; filename="${part.name}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    return [Buffer.from(more), part.bytes, Buffer.from('\r\n')];
  });
  return {
    body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

export async function unzip(bytes: Buffer): Promise<Record<string, string>> {
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) =>
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (error, file) => (file ? resolve(file) : reject(error))),
  );
  const files: Record<string, string> = {};
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: yauzl.Entry) => {
      zip.openReadStream(entry, (error, stream) => {
        if (!stream) return reject(error);
        text(stream).then((content) => {
          files[entry.fileName] = content;
          zip.readEntry();
        }, reject);
      });
    });
    zip.on('end', resolve).on('error', reject);
    zip.readEntry();
  });
  return files;
}

export function gunzip(bytes: Buffer): Promise<Buffer> {
  return buffer(Readable.from([bytes]).pipe(createGunzip()));
}
