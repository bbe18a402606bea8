import type { OnCall } from '../adapter.js';
import {
  createTokenSource,
  createUpstream,
  type TokenSource,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
} from '../upstream.js';
import { hasStatus } from './errors.js';
import { read } from './resources.js';
import { type Grant, type Settings, secretsOf } from './settings.js';

export interface Login {
  tokens: TokenSource;
  close(): void;
}

/**
 * Tokens of the platform's UAA, in memory only. `findUaa` gives its address; it is asked at the first use and again after a failure.
 * A refresh token that UAA gave is used, the newest one; when UAA refuses it, the password is.
 */
export function createLogin(settings: Settings, findUaa: () => Promise<string>, onCall?: OnCall): Login {
  let uaa: Upstream | undefined;
  let refreshToken: string | undefined;

  async function open(): Promise<Upstream> {
    uaa ??= createUpstream({
      name: "Cloud Foundry's UAA",
      baseUrl: await findUaa(),
      requestTimeout: settings.requestTimeout,
      patience: settings.patience,
      skipTlsVerification: settings.skipTlsVerification,
      secrets: () => [...secretsOf(settings), ...(refreshToken === undefined ? [] : [refreshToken])],
      ...(settings.ca === undefined ? {} : { ca: settings.ca }),
      ...(onCall ? { onCall } : {}),
    });
    return uaa;
  }

  async function ask(form: Record<string, string>, client: string): Promise<unknown> {
    const signal = AbortSignal.timeout(settings.requestTimeout + settings.patience);
    const request: UpstreamRequest = {
      method: 'POST',
      path: '/oauth/token',
      form,
      headers: { authorization: `Basic ${Buffer.from(client).toString('base64')}` },
      // A second token harms nobody.
      repeatable: true,
      signal,
    };
    return (await (await open()).request(request)).body;
  }

  async function login(): Promise<unknown> {
    const { form, client } = credentials(settings.grant);
    if (refreshToken === undefined) return ask(form, client);
    try {
      return await ask({ grant_type: 'refresh_token', refresh_token: refreshToken }, client);
    } catch (error) {
      refreshToken = undefined;
      if (hasStatus(error, 401) || hasStatus(error, 400)) return ask(form, client);
      throw error;
    }
  }

  return {
    tokens: createTokenSource(async () => {
      const token = read.token(await login().catch(asLoginError));
      refreshToken = token.refresh_token ?? refreshToken;
      return { value: token.access_token, expiresAt: Date.now() + token.expires_in * 1000 };
    }),
    close: () => uaa?.close(),
  };
}

/** The public client `cf` has an empty secret: every Cloud Foundry knows it for people's passwords. */
function credentials(grant: Grant): { form: Record<string, string>; client: string } {
  if (grant.type === 'password') {
    const form = { grant_type: 'password', username: grant.user, password: grant.password };
    return { form, client: 'cf:' };
  }
  // Not URL-encoded, as RFC 6749 has it: UAA decodes only where a header of its own says so.
  return { form: { grant_type: 'client_credentials' }, client: `${grant.clientId}:${grant.clientSecret}` };
}

/** UAA answers 400 or 401 to wrong credentials; for everybody else it is a 401, which must not look like an expired token. */
function asLoginError(error: unknown): never {
  if (!(error instanceof UpstreamError) || (error.status !== 400 && error.status !== 401)) throw error;
  throw new UpstreamError(
    'status',
    'Cloud Foundry refuses the log-in: are user and password, or client and secret, right?',
    {
      status: 401,
      body: error.body,
      cause: error,
    },
  );
}
