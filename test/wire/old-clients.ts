import { randomUUID } from 'node:crypto';
import { type SocketAnswer, sendRaw } from '../support/raw-socket.js';

/** Where the gateway listens, and under which base. */
export interface Target {
  port: number;
  /** The clients have `/CF-api/rest` compiled in. */
  base: string;
}

const XML = 'application/xml';
const CRLF = '\r\n';

function bytes(lines: readonly string[], body: Buffer | string = ''): Buffer {
  return Buffer.concat([Buffer.from(lines.join(CRLF) + CRLF + CRLF), Buffer.from(body)]);
}

/** The Accords platform (C, 2013): a fixed order of headers, a Host without port, a file part without filename, empty POSTs without length and type. */
export function accords({ port, base }: Target, credentials = 'user:secret') {
  const head = (method: string, path: string) => [
    `${method} ${base}${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: COAPSClient/V1',
  ];
  const tail = ['Accept: application/xml', `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`];
  return {
    post: (path: string, body: string) =>
      sendRaw(
        port,
        bytes(
          [...head('POST', path), `Content-Type: ${XML}`, ...tail, `Content-Length: ${Buffer.byteLength(body)}`],
          body,
        ),
      ),
    upload(path: string, file: Buffer) {
      const boundary = randomUUID();
      const body = Buffer.concat([
        Buffer.from(
          `--${boundary}\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream\r\n\r\n`,
        ),
        file,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
      const type = `Content-Type: multipart/form-data; boundary=${boundary}`;
      return sendRaw(port, bytes([...head('POST', path), type, ...tail, `Content-Length: ${body.length}`], body));
    },
    empty: (path: string) => sendRaw(port, bytes([...head('POST', path), ...tail])),
    get: (path: string) => sendRaw(port, bytes([...head('GET', path), ...tail])),
  };
}

/** Jersey 1 on Java (the web forms of 2012 and 2014, MIDEaaS): a Content-Type with everything, Java 8's Accept, the file as a nested multipart type before its disposition. */
export function jersey({ port, base }: Target) {
  const rest = [
    'User-Agent: Java/1.7.0_25',
    `Host: 127.0.0.1:${port}`,
    'Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
    'Connection: keep-alive',
  ];
  const send = (method: string, path: string, type: string, more: string[] = [], body: Buffer | string = '') =>
    sendRaw(port, bytes([`${method} ${base}${path} HTTP/1.1`, `Content-Type: ${type}`, ...more, ...rest], body));
  return {
    post: (path: string, body: string) => send('POST', path, XML, [`Content-Length: ${Buffer.byteLength(body)}`], body),
    empty: (path: string) => send('POST', path, XML),
    get: (path: string) => send('GET', path, XML),
    delete: (path: string) => send('DELETE', path, XML),
    upload(path: string, file: Buffer) {
      const boundary = `Boundary_1_878274034_${Date.now()}`;
      const body = Buffer.concat([
        Buffer.from(
          `--${boundary}\r\nContent-Type: multipart/form-data\r\nContent-Disposition: form-data; name="file"\r\n\r\n`,
        ),
        file,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
      const more = ['MIME-Version: 1.0', `Content-Length: ${body.length}`];
      return send('POST', path, `multipart/form-data; boundary=${boundary}`, more, body);
    },
  };
}

/** CoRED of January 2013 (HttpURLConnection): a header named charset, no-cache with everything, empty POSTs with nothing at all. */
export function coredOfJanuary({ port, base }: Target) {
  const rest = [
    'User-Agent: Java/1.6.0_27',
    `Host: 127.0.0.1:${port}`,
    'Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
    'Connection: keep-alive',
  ];
  const caching = ['Cache-Control: no-cache', 'Pragma: no-cache'];
  const line = (path: string) => `POST ${base}${path} HTTP/1.1`;
  return {
    post: (path: string, body: string) =>
      sendRaw(
        port,
        bytes(
          [
            line(path),
            `Content-Type: ${XML}`,
            'charset: utf-8',
            ...caching,
            ...rest,
            `Content-Length: ${Buffer.byteLength(body)}`,
          ],
          body,
        ),
      ),
    empty: (path: string) => sendRaw(port, bytes([line(path), ...caching, ...rest])),
  };
}

/** CoRED of March 2013 (HttpClient): no Accept, a charset behind the boundary, a transfer encoding in the part, a length of 0 to start. */
export function coredOfMarch({ port, base }: Target) {
  const rest = [`Host: 127.0.0.1:${port}`, 'Connection: Keep-Alive', 'User-Agent: Apache-HttpClient/4.2.3 (java 1.5)'];
  const line = (path: string) => `POST ${base}${path} HTTP/1.1`;
  return {
    post: (path: string, body: string) =>
      sendRaw(
        port,
        bytes([line(path), `Content-Length: ${Buffer.byteLength(body)}`, `Content-Type: ${XML}`, ...rest], body),
      ),
    empty: (path: string) => sendRaw(port, bytes([line(path), 'Content-Length: 0', ...rest])),
    upload(path: string, file: Buffer) {
      const boundary = 'XIN9zSpNgpJcVEqcvfvDbR6-fSbxKnFwQz';
      const body = Buffer.concat([
        Buffer.from(
          `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="SampleServlet.war"\r\n` +
            'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n',
        ),
        file,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
      const type = `Content-Type: multipart/form-data; boundary=${boundary}; charset=US-ASCII`;
      return sendRaw(port, bytes([line(path), `Content-Length: ${body.length}`, type, ...rest], body));
    },
  };
}

/** What those clients make of an answer. */
export const reading = {
  /** CoRED: the first `envId="…"` or `appId="…"` of the whole text. */
  id(answer: SocketAnswer, name: 'envId' | 'appId'): string {
    const from = answer.text.indexOf(`${name}="`) + name.length + 2;
    return answer.text.slice(from, answer.text.indexOf('"', from));
  },
  /** CoRED of January: what stands between `<uris>` and `</uris>`. */
  uris({ text }: SocketAnswer): string {
    const from = text.indexOf('<uris>') + '<uris>'.length;
    return text.slice(from, text.indexOf('</uris>', from));
  },
  /** MIDEaaS: what stands between two tags, the first time after a position. */
  between({ text }: SocketAnswer, tag: string, after = 0): string {
    const from = text.indexOf(`<${tag}>`, after) + tag.length + 2;
    return text.slice(from, text.indexOf(`</${tag}>`, from));
  },
};
