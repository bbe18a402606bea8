import { mkdir, stat, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type AgentClient, createAgentClient } from '../../src/conpaas/agent/client.js';
import { readSpec } from '../../src/conpaas/agent/spec.js';
import { type Credential, createAuthority, openAuthority } from '../../src/conpaas/certificates.js';
import { zip } from '../archives/pack.js';
import { desired, expose, ISOLATED, nodeApp, openRig, type Rig, SID, sendFiles, textOf, UID } from './agent-rig.js';

if (!ISOLATED) console.log('skipped: only a gateway that runs as root can give applications users of their own');
const asRoot = ISOLATED ? describe : describe.skip;

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  // Made as a careless umask would: the cloud closes what lies on the way to the applications.
  await mkdir(join(rig.data, 'conpaas', 'services'), { recursive: true, mode: 0o755 });
  await writeFile(join(rig.data, 'store.db'), 'secret', { mode: 0o644 });
  await writeFile(join(rig.data, 'conpaas', 'ca_key.pem'), 'secret', { mode: 0o644 });
  await writeFile(join(rig.data, 'conpaas', 'services', 'code.zip'), 'secret', { mode: 0o644 });
});
afterAll(() => rig.close());

/** An application that tries what it is told to, and reports how that went. */
const ATTACKER = nodeApp(
  '',
  `const fs = require('node:fs');
   const attempt = (work) => { try { return { done: work() }; } catch (error) { return { code: error.code }; } };
   const actions = {
     read: (path) => fs.readFileSync(path, 'latin1').length,
     list: (path) => fs.readdirSync(path).length,
     write: (path) => fs.writeFileSync(path, 'x'),
     link: (path) => fs.symlinkSync('/etc/passwd', path),
     kill: (pid) => process.kill(Number(pid), 0),
     environment: () => process.env,
     user: () => [process.getuid(), process.getgid(), process.getgroups()],
     descriptors: () => fs.readdirSync('/proc/self/fd').map((name) => attempt(() => fs.readlinkSync('/proc/self/fd/' + name)).done),
   };
   const answer = (q, r) => {
     const url = new URL(q.url, 'http://a');
     r.end(JSON.stringify(attempt(() => actions[url.pathname.slice(1)](url.searchParams.get('on')))));
   };`,
);

asRoot('uploaded code', () => {
  let ask: (action: string, on?: string | number) => Promise<{ done?: unknown; code?: string }>;
  let room = '';
  let agentPid = 0;
  let folder = '';
  let neighbour = '';

  beforeAll(async () => {
    const other = await rig.agent({ uid: 4 });
    neighbour = (await readSpec(other.folder))?.room ?? '';
    const agent = await rig.agent();
    folder = agent.folder;
    room = (await readSpec(folder))?.room ?? '';
    await sendFiles(agent.client, 'code-a', ATTACKER);
    const variables = { MINE: '1', COAPS_MARK: 'forged', PORT: '1' };
    agentPid = (await agent.client.apply(desired('code-a', { variables }))).pid;
    const url = await expose(agent.client);
    ask = async (action, on = '') =>
      JSON.parse(await textOf(`${url}/${action}?on=${encodeURIComponent(on)}`)) as { done?: unknown; code?: string };
  }, 60_000);

  it('runs as a user of its own, in no other group', async () => {
    const id = 200_000 + UID;
    expect(await ask('user')).toEqual({ done: [id, id, [id]] });
  });

  it('cannot read the store, the authority’s key, the services’ files or an agent’s', async () => {
    const paths = ['store.db', 'conpaas/ca_key.pem', 'conpaas/services/code.zip'].map((name) => join(rig.data, name));
    for (const name of ['key.pem', 'spec.json', 'memory.json', 'holder.json', 'output/output.log'])
      paths.push(join(folder, name));
    for (const path of paths) expect([path, await ask('read', path)]).toEqual([path, { code: 'EACCES' }]);
    for (const path of ['', 'conpaas', 'conpaas/agents', 'conpaas/apps', 'conpaas/services']) {
      expect([path, await ask('list', join(rig.data, path))]).toEqual([path, { code: 'EACCES' }]);
    }
  });

  it('cannot enter another user’s room', async () => {
    expect(neighbour).not.toBe('');
    for (const path of ['', 'home', 'code', 'tmp']) {
      expect(await ask('list', join(neighbour, path))).toEqual({ code: 'EACCES' });
    }
    expect(await ask('write', join(neighbour, 'home', 'x'))).toEqual({ code: 'EACCES' });
  });

  it('sees nothing of the gateway’s environment or the agent’s, and may not signal them', async () => {
    for (const pid of [process.pid, agentPid]) {
      expect(await ask('read', `/proc/${pid}/environ`)).toEqual({ code: 'EACCES' });
      expect(await ask('list', `/proc/${pid}/fd`)).toEqual({ code: 'EACCES' });
      expect(await ask('kill', pid)).toEqual({ code: 'EPERM' });
    }
  });

  it('has an environment that was made for it', async () => {
    process.env['GATEWAY_SECRET'] = 'do not tell';
    const { done } = (await ask('environment')) as { done: Record<string, string> };
    const known = ['COAPS_MARK', 'HOME', 'HOST', 'LANG', 'MINE', 'NODE_ENV', 'PATH', 'PORT', 'PWD', 'TMPDIR'];
    const machine = [
      'LC_ALL',
      'TZ',
      'JAVA_HOME',
      'CATALINA_HOME',
      'JETTY_HOME',
      'NODE_EXTRA_CA_CERTS',
      'SSL_CERT_FILE',
      'SSL_CERT_DIR',
    ];
    const names = Object.keys(done).filter(
      (name) => !name.startsWith('npm_') && !machine.includes(name) && name !== '_' && name !== 'OLDPWD',
    );
    expect(names.sort()).toEqual(known);
    expect(done['COAPS_MARK']).not.toBe('forged');
    expect(done['PORT']).not.toBe('1');
    expect(JSON.stringify(done)).not.toContain('do not tell');
  });

  it('inherits no open file', async () => {
    const { done } = (await ask('descriptors')) as { done: (string | undefined)[] };
    const files = done.filter((target) => target?.startsWith('/') && !/^\/(dev|proc)\//.test(target));
    expect(files).toEqual([]);
  });

  it('may write into its own folders, and nowhere where the agent writes', async () => {
    for (const path of ['home/x', 'tmp/x', 'code/code-a/x'])
      expect([path, await ask('write', join(room, path))]).toEqual([path, {}]);
    for (const path of ['x', 'code/x', 'work/x', 'tools/x', 'tools/programs/static-server.js']) {
      expect([path, await ask('write', join(room, path))]).toEqual([path, { code: 'EACCES' }]);
      expect((await ask('link', join(room, `${path}-link`))).code).toBe('EACCES');
    }
  });

  it('finds its files without the bits of another user', async () => {
    const { client } = await rig.agent();
    const bytes = zip([
      { name: 'index.html', content: 'x' },
      { name: 'su', content: '#!/bin/sh\n', mode: 0o104755 },
    ]);
    await client.sendCode('code-su', () => Readable.from([bytes]));
    const spec = await readSpec(folder);
    const { mode, uid } = await stat(
      join(spec?.room.replace(/[^/]+$/, '') ?? '', (await client.status()).agentId, 'code', 'code-su', 'su'),
    );
    expect(mode & 0o7000).toBe(0);
    expect(uid).toBe(200_000 + UID);
  });
});

describe('an agent', () => {
  let client: AgentClient;
  let port = 0;
  beforeAll(async () => {
    const agent = await rig.agent();
    client = agent.client;
    port = agent.instance.address?.port ?? 0;
  });

  /** What becomes of a request with that certificate. */
  async function knock(credential?: Credential, authority = rig.authority.certificate): Promise<number | string> {
    return await new Promise((resolve) => {
      const agent = new Agent({
        ca: authority,
        checkServerIdentity: () => undefined,
        ...(credential && { cert: credential.certificate, key: credential.key }),
      });
      const outgoing = request({ host: '127.0.0.1', port, path: '/v1/status', agent }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      outgoing.end();
    });
  }

  it('speaks to its own manager alone; everybody else is cut off before HTTP', async () => {
    const { authority, manager } = rig;
    expect(await knock(manager)).toBe(200);
    const strangers: Record<string, Parameters<typeof authority.issue>[0]> = {
      'the user': { role: 'user', uid: UID, serviceLocator: 0, commonName: 'user' },
      'another service’s manager': { role: 'manager', uid: UID, serviceLocator: SID + 1, commonName: 'm' },
      'another user’s manager': { role: 'manager', uid: UID + 1, serviceLocator: SID, commonName: 'm' },
      'another agent': { role: 'agent', uid: UID, serviceLocator: SID, commonName: 'a' },
      'the Director': { role: 'frontend', uid: 0, serviceLocator: 0, commonName: 'd' },
    };
    for (const [who, subject] of Object.entries(strangers)) {
      expect([who, await knock(await authority.issue(subject))]).toEqual([who, 'ECONNRESET']);
    }
    expect(await knock()).toBe('ECONNRESET');
    const other = await openAuthority(await createAuthority(new Date()), () => new Date());
    const forged = await other.issue({ role: 'manager', uid: UID, serviceLocator: SID, commonName: 'manager' });
    expect(await knock(forged)).toBe('ECONNRESET');
  });

  it('of another service is not believed by a manager', async () => {
    const address = { host: '127.0.0.1', port };
    const elsewhere = createAgentClient({
      address,
      credential: rig.manager,
      authority: rig.authority.certificate,
      uid: UID,
      sid: SID + 1,
    });
    await expect(elsewhere.status()).rejects.toMatchObject({ kind: 'unauthorized' });
    elsewhere.close();
  });

  it('takes a new certificate for new connections', async () => {
    const renewed = await rig.authority.issue({ role: 'agent', uid: UID, serviceLocator: SID, commonName: 'renewed' });
    await client.renew(renewed);
    expect(await knock(rig.manager)).toBe(200);
  });

  it('refuses a bad archive and a bad id, and goes on', async () => {
    await expect(client.sendCode('code-x', () => Readable.from([Buffer.from('no archive')]))).rejects.toMatchObject({
      kind: 'rejected',
      archive: 'format',
    });
    const evil = zip([{ name: '../x', content: '1' }]);
    await expect(client.sendCode('code-x', () => Readable.from([evil]))).rejects.toMatchObject({ archive: 'absolute' });
    await expect(client.sendCode('../../x', () => Readable.from([evil]))).rejects.toMatchObject({ kind: 'rejected' });
    await expect(client.apply(desired('code-none'))).rejects.toMatchObject({ kind: 'rejected' });
    expect((await client.status()).code).toEqual([]);
  });
});
