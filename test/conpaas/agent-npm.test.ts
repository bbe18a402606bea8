import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zip } from '../archives/pack.js';
import { desired, expose, openRig, type Rig, textOf } from './agent-rig.js';

let rig: Rig;
let room: string;
beforeAll(async () => {
  rig = await openRig();
  room = await mkdtemp(join(tmpdir(), 'coaps-npm-'));
});
afterAll(async () => {
  await rig.close();
  await rm(room, { recursive: true, force: true });
});

/** A package of our own stands for one of the registry: the test needs no network. */
async function application(lock: boolean, greeting = 'hello'): Promise<string> {
  const folder = await mkdtemp(join(room, 'app-'));
  const files: Record<string, string> = {
    'package.json': JSON.stringify({
      name: 'app',
      version: '1.2.3',
      main: 'main.js',
      dependencies: { greeter: 'file:./greeter' },
    }),
    'main.js':
      'const g = require("greeter"); require("http").createServer((q, r) => r.end(g + " " + process.env.npm_package_version)).listen(process.env.PORT);',
    'greeter/package.json': '{"name":"greeter","version":"1.0.0","main":"index.js"}',
    'greeter/index.js': `module.exports = ${JSON.stringify(greeting)};`,
  };
  execFileSync('mkdir', ['-p', join(folder, 'greeter')]);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  if (lock) {
    execFileSync('npm', ['install', '--package-lock-only', '--offline'], { cwd: folder, stdio: 'ignore' });
    files['package-lock.json'] = await readFile(join(folder, 'package-lock.json'), 'utf8');
  }
  const archive = join(folder, 'app.zip');
  await writeFile(archive, zip(Object.entries(files).map(([name, content]) => ({ name, content }))));
  return archive;
}

it.each([true, false])('dependencies are installed before the first start (lock: %s)', async (lock) => {
  const { client } = await rig.agent();
  const archive = await application(lock);
  await client.sendCode('code-npm', () => createReadStream(archive));
  await client.apply(desired('code-npm'));
  expect(await textOf(await expose(client))).toBe('hello 1.2.3');
});

it('dependencies that cannot be installed fail the start with npm’s words, and nothing runs', async () => {
  const { client } = await rig.agent();
  const archive = join(room, 'bad.zip');
  const manifest = { name: 'app', dependencies: { missing: 'file:./missing-folder-that-is-not-there.tgz' } };
  await writeFile(archive, zip([{ name: 'package.json', content: JSON.stringify(manifest) }]));
  await client.sendCode('code-npm', () => createReadStream(archive));
  await expect(client.apply(desired('code-npm'))).rejects.toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('could not be prepared'),
    lastLines: expect.arrayContaining([expect.stringContaining('missing-folder')]),
  });
  expect((await client.status()).application.phase).toBe('failed');
});
