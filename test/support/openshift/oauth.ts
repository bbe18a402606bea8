import type { IncomingMessage, ServerResponse } from 'node:http';

/** The log-in of an account with name and password, as command lines use it. */
export function authorize(
  incoming: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  tokenOf: (user: string, password: string) => string | undefined,
): void {
  if (query.get('client_id') !== 'openshift-challenging-client') {
    const body = {
      error: 'unauthorized_client',
      error_description: 'The client is not authorized to request a token using this method.',
    };
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    return;
  }
  if (!incoming.headers['x-csrf-token']) {
    const text = 'A non-empty X-CSRF-Token header is required to receive basic-auth challenges';
    response
      .writeHead(401, { 'content-type': 'text/plain; charset=utf-8', warning: `199 Origin "${text}"` })
      .end(`${text}\n`);
    return;
  }
  const [, pair = ''] = /^Basic (.*)$/.exec(incoming.headers.authorization ?? '') ?? [];
  const [user = '', password = ''] = Buffer.from(pair, 'base64').toString('utf8').split(':');
  const token = tokenOf(user, password);
  if (token === undefined) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="openshift"' }).end();
    return;
  }
  const fragment = new URLSearchParams({
    access_token: token,
    expires_in: '86400',
    scope: 'user:full',
    token_type: 'Bearer',
  });
  response
    .writeHead(302, { location: `https://oauth-openshift.apps.ocp.example/oauth/token/implicit#${fragment}` })
    .end();
}
