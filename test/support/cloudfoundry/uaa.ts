import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { readText } from './http.js';
import type { User } from './objects.js';
import type { World } from './world.js';

export interface Uaa {
  server: Server;
  /** Whose the token is; undefined when it is none, or no longer one. */
  holder(token: string): User | undefined;
  /** A good token of a user. */
  tokenOf(name: string): string;
  refreshTokenOf(name: string): string;
  /** Every token given out so far is worthless from now on; refresh tokens too when `all`. */
  expire(options?: { all?: boolean }): void;
  /** Grants, in order. */
  readonly grants: string[];
  /** It refuses everybody. */
  locked: boolean;
}

/** The token server: password, refresh and client grants. */
export function createUaa(world: World): Uaa {
  const tokens = new Map<string, { user: User; until: number }>();
  const refreshTokens = new Map<string, User>();
  const life = world.options.tokenLife ?? 599;

  function grant(user: User, refresh: boolean) {
    const token = `token-${randomUUID()}`;
    tokens.set(token, { user, until: Date.now() + life * 1000 });
    const refreshToken = `refresh-${randomUUID()}`;
    if (refresh) refreshTokens.set(refreshToken, user);
    return {
      access_token: token,
      token_type: 'bearer',
      ...(refresh ? { refresh_token: refreshToken } : {}),
      expires_in: life,
      scope: user.scopes.join(' '),
      jti: randomUUID().replaceAll('-', ''),
    };
  }

  function answer(form: URLSearchParams, client: string) {
    const type = form.get('grant_type') ?? '';
    uaa.grants.push(type);
    const refused = (error: string, description: string) => ({
      status: 401,
      body: { error, error_description: description },
    });
    if (uaa.locked)
      return refused(type === 'client_credentials' ? 'invalid_client' : 'unauthorized', 'Bad credentials');
    if (type === 'password') {
      const user = world.users.find(
        (one) => one.name === form.get('username') && one.password === form.get('password'),
      );
      return user && client === 'cf:'
        ? { status: 200, body: grant(user, true) }
        : refused('unauthorized', 'Bad credentials');
    }
    if (type === 'refresh_token') {
      const user = refreshTokens.get(form.get('refresh_token') ?? '');
      return user
        ? { status: 200, body: grant(user, true) }
        : refused('invalid_token', 'The token expired, was revoked, or the token ID is incorrect.');
    }
    const user = world.users.find((one) => `${one.name}:${one.password}` === client);
    return user ? { status: 200, body: grant(user, false) } : refused('invalid_client', 'Bad credentials');
  }

  function userOf(name: string): User {
    const user = world.users.find((one) => one.name === name);
    if (!user) throw new Error(`the fake has no user ${name}`);
    return user;
  }

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://uaa').pathname;
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'POST' && path === '/oauth/token') {
      const client = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString(
        'utf8',
      );
      const { status, body } = answer(new URLSearchParams(await readText(request)), client);
      send(status, body);
    } else if (path === '/info' || path === '/login') send(200, info(world));
    else send(404, { error: 'not_found' });
  });

  const uaa: Uaa = {
    server,
    grants: [],
    locked: false,
    tokenOf: (name) => grant(userOf(name), false).access_token,
    refreshTokenOf: (name) => grant(userOf(name), true).refresh_token ?? '',
    holder(token) {
      const held = tokens.get(token);
      return held && Date.now() < held.until ? held.user : undefined;
    },
    expire({ all = false } = {}) {
      tokens.clear();
      if (all) refreshTokens.clear();
    },
  };
  return uaa;
}

function info(world: World) {
  const { uaa } = world.urls;
  return {
    app: { version: '77.34.0' },
    links: { uaa, passwd: '/forgot_password', login: uaa, register: '/create_account' },
    zone_name: 'uaa',
    entityID: 'login.cf.example',
    commit_id: '0000000',
    idpDefinitions: {},
    prompts: {
      username: ['text', 'Email'],
      password: ['password', 'Password'],
      passcode: ['password', `Temporary Authentication Code ( Get one at ${uaa}/passcode )`],
    },
    timestamp: new Date().toISOString(),
  };
}
