import { readXmlTree } from '../../src/representations/xml-tree.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { signedPath } from '../support/signing.js';
import { ADA, BOB, openWorld, type World } from '../support/world.js';

let gateway: TestGateway;
let world: World;
beforeAll(async () => {
  gateway = await startGateway({ platforms: { MEM: { adapter: 'memory' } } });
  world = await openWorld(gateway);
});
afterAll(() => gateway.close());

const code = (text: string) => /code="([^"]+)"/.exec(text)?.[1];

async function createKey(): Promise<{ id: string; secret: string }> {
  const { body } = await world.send('POST', '/user/ada/key', {
    body: '<key label="ci"/>',
    headers: { 'Content-Type': 'application/xml' },
  });
  const { attributes } = readXmlTree(body);
  return { id: attributes.get('keyId') ?? '', secret: attributes.get('secret') ?? '' };
}

/** Signed with a secret, by the name of a user or of a key; no Basic. */
async function signed(accessKeyId: string, secret: string, path = '/app', seconds = Date.now() / 1000) {
  const url = signedPath({
    host: new URL(gateway.origin).host,
    path: new URL(gateway.base).pathname + path,
    parameters: { AccessKeyId: accessKeyId, Timestamp: String(Math.floor(seconds)), SignatureMethod: 'HmacSHA256' },
    secret,
  });
  const { status, text } = await gateway.request(gateway.origin + url, { user: '' });
  return [status, code(text)];
}

test('A key is shown once, signs requests by its id or its user’s name, and no more when it is revoked', async () => {
  const first = await createKey();
  const second = await createKey();
  expect(first.secret.length).toBeGreaterThan(20);
  const list = await world.send('GET', '/user/ada/key');
  expect(list.text).toContain(`<id>${first.id}</id><name>ci</name>`);
  expect(list.text).not.toContain(first.secret);

  for (const { id, secret } of [first, second]) {
    expect(await signed(id, secret)).toEqual([200, undefined]);
    expect(await signed('ada', secret)).toEqual([200, undefined]);
  }
  expect(await signed(first.id, second.secret)).toEqual([400, 'Invalid signature']);
  expect(await signed('ada', 'guess')).toEqual([400, 'Invalid signature']);
  expect(await signed('bob', first.secret)).toEqual([400, 'Invalid signature']);
  expect(await signed('nobody', first.secret)).toEqual([403, 'InvalidKeyId']);
  expect(await signed(first.id, first.secret, '/app', Date.now() / 1000 - 3600)).toEqual([400, 'RequestExpired']);

  await world.send('DELETE', `/user/ada/key/${first.id}`);
  expect(await signed(first.id, first.secret)).toEqual([403, 'InvalidKeyId']);
  expect(await signed('ada', first.secret)).toEqual([400, 'Invalid signature']);
  expect(await signed('ada', second.secret)).toEqual([200, undefined]);
});

test('A signed request has the rights of its user', async () => {
  const { id, secret } = await createKey();
  const { appId } = await world.application();
  expect(await signed(id, secret, `/app/${appId}`)).toEqual([200, undefined]);
  expect(await signed(id, secret, '/user')).toEqual([403, 'AccessDenied']);
});

test('Keys are their user’s and the admin’s', async () => {
  for (const [user, status] of [
    [ADA, 200],
    [BOB, 403],
    [undefined, 200],
  ] as const) {
    const answer = await gateway.request('/user/ada/key', user === undefined ? {} : { user });
    expect([user, answer.status]).toEqual([user, status]);
  }
});
