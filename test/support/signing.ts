import { createHmac } from 'node:crypto';

export interface Signing {
  method?: string;
  /** Host and port of the request. */
  host: string;
  /** Path with the base. */
  path: string;
  parameters: Record<string, string>;
  secret: string;
  algorithm?: 'sha256' | 'sha1';
}

/** Path and query of a request that is signed as AWS Signature Version 2 has it. */
export function signedPath({ method = 'GET', host, path, parameters, secret, algorithm = 'sha256' }: Signing): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  const text = [method, host, path, [...pairs].sort().join('&')].join('\n');
  const signature = createHmac(algorithm, secret).update(text).digest('base64');
  return `${path}?${[...pairs, `Signature=${escaped(signature)}`].join('&')}`;
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
