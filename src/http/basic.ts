import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import type passport from 'passport';
import { BasicStrategy } from 'passport-http';
import type { Authentication } from '../domain/ports.js';
import type { Principal } from '../domain/principal.js';

export const CHALLENGE = 'Basic realm="COAPS"';

/** What a request says of its caller. */
type Credentials = { name: string; password: string } | 'absent' | 'malformed';

/**
 * passport-http cuts a password at its second colon, answers a malformed header with 400 and refuses empty passwords before the
 * verification. This one splits at the first colon, decodes UTF-8 and answers whatever is wrong with 401 and the challenge (api.md §5).
 */
export class FirstColonBasicStrategy extends BasicStrategy {
  // passport calls on an object that inherits from this one: a private field would not be there.
  private readonly verify: (req: Request, credentials: Credentials) => Promise<Principal | undefined>;

  constructor(authentication: Authentication, anonymous: string | undefined) {
    super({ realm: 'COAPS' }, () => undefined);
    this.verify = (req, credentials) => verify(authentication, anonymous, req, credentials);
  }

  override authenticate(req: Request): void {
    const outcome = this as unknown as passport.StrategyCreatedStatic;
    // A rejection that nobody awaits would leave the client without an answer.
    this.verify(req, readCredentials(req)).then(
      (principal) => (principal ? outcome.success(principal) : outcome.fail(CHALLENGE, 401)),
      (error) => outcome.error(error),
    );
  }
}

async function verify(
  authentication: Authentication,
  anonymous: string | undefined,
  req: Request,
  credentials: Credentials,
): Promise<Principal | undefined> {
  if (credentials === 'malformed') return undefined;
  const found =
    credentials === 'absent'
      ? 'unknown'
      : await authentication.byPassword(credentials.name, credentials.password, req.socket.remoteAddress ?? '');
  if (found !== 'unknown') return found;
  return anonymous === undefined ? undefined : authentication.byName(anonymous);
}

/** Two Authorization headers are no error; the first one counts. */
export function readCredentials(req: IncomingMessage): Credentials {
  const header = req.headersDistinct['authorization']?.[0]?.trim();
  if (!header) return 'absent';
  const encoded = /^basic +([a-z0-9+/_-]*={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return 'malformed';
  const pair = decodeUtf8(Buffer.from(encoded, 'base64'));
  const colon = pair?.indexOf(':') ?? -1;
  if (pair === undefined || colon === -1) return 'malformed';
  const credentials = { name: pair.slice(0, colon), password: pair.slice(colon + 1) };
  return credentials.name === '' && credentials.password === '' ? 'absent' : credentials;
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
