import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { PeerCertificate } from 'node:tls';
import { Fault } from '../domain/errors.js';
import type { Credential } from './certificates.js';

/** A manager's calls to its Director, with the manager's own certificate. Rejects with Fault ServiceUnavailable when none answers. */
export interface DirectorClient {
  /** False: the user has not enough credits. `key` names what is paid, so that a repetition pays nothing. */
  decrementCredit(sid: number, key: string): Promise<boolean>;
  /** False: the service is gone already. */
  terminateService(sid: number): Promise<boolean>;
  /** PEM of the certificate. */
  signRequest(csr: string): Promise<string>;
}

export interface DirectorClientOptions {
  /** e.g. `https://127.0.0.1:5555` */
  url: string;
  authority: string;
  /** The manager's, as it is now. */
  credential(): Credential;
}

const LIMIT = 30_000;
const BOUNDARY = 'conpaas-certificate-signing-request';

export function createDirectorClient(options: DirectorClientOptions): DirectorClient {
  const post = (path: string, fields: Record<string, string>) =>
    call(options, path, 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString());
  return {
    async decrementCredit(sid, key) {
      const answer = await post('/callback/decrementUserCredit.php', { sid: String(sid), decrement: '1', key });
      return isFine(answer);
    },
    async terminateService(sid) {
      return isFine(await post('/callback/terminateService.php', { sid: String(sid) }));
    },
    async signRequest(csr) {
      const head = 'Content-Disposition: form-data; name="csr"; filename="csr.pem"\r\nContent-Type: text/plain';
      const body = `--${BOUNDARY}\r\n${head}\r\n\r\n${csr}\r\n--${BOUNDARY}--\r\n`;
      const answer = await call(options, '/ca/get_cert.php', `multipart/form-data; boundary=${BOUNDARY}`, body);
      if (!answer.startsWith('-----BEGIN CERTIFICATE-----')) {
        throw new Fault('ServiceUnavailable', `The Director signed no certificate: ${answer.slice(0, 200)}`);
      }
      return answer;
    },
  };
}

function away(retryAfter: number): Fault {
  return new Fault('ServiceUnavailable', 'The Director cannot work at the moment; try again.', { retryAfter });
}

function isFine(answer: string): boolean {
  const value: unknown = JSON.parse(answer);
  return typeof value === 'object' && value !== null && 'error' in value && value.error === false;
}

function call({ url, authority, ...more }: DirectorClientOptions, path: string, type: string, body: string) {
  const { certificate: cert, key } = more.credential();
  return new Promise<string>((resolve, reject) => {
    const refuse = (cause: unknown) =>
      reject(new Fault('ServiceUnavailable', `The Director at ${url} did not answer.`, { cause }));
    const outgoing = request(
      new URL(path, url),
      {
        method: 'POST',
        agent: false,
        ca: authority,
        cert,
        key,
        timeout: LIMIT,
        // Its host name may be any; what counts is that our authority made it the Director.
        checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
          (certificate.subject as unknown as { role?: string }).role === 'frontend'
            ? undefined
            : new Error('The peer is no ConPaaS Director.'),
        headers: { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), Connection: 'close' },
      },
      (response) => {
        text(response).then((answer) => {
          const again = Number(response.headers['retry-after'] ?? Number.NaN);
          // No refusal, although it looks like one: a service must not end because the store was away when it had to pay.
          if (Number.isFinite(again)) reject(away(again));
          else if (response.statusCode === 200) resolve(answer);
          else refuse(new Error(`HTTP ${response.statusCode}`));
        }, refuse);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${LIMIT / 1000} s`)));
    outgoing.on('error', refuse);
    outgoing.end(body);
  });
}
