import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { markedProcesses } from '../../src/conpaas/agent/processes.js';
import { readSpec } from '../../src/conpaas/agent/spec.js';
import { desired, eventually, expose, nodeApp, openRig, type Rig, sendFiles, textOf } from './agent-rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

describe('a Node application', () => {
  it('is received, started, exposed, replaced and stopped', async () => {
    const { client, folder } = await rig.agent();
    await sendFiles(client, 'code-one', nodeApp('one'));
    const started = await client.apply(desired('code-one'));
    expect(started.application).toMatchObject({ phase: 'running', runtime: 'nodejs', codeVersionId: 'code-one' });
    const url = await expose(client);
    expect(await textOf(url)).toBe('one');
    await sendFiles(client, 'code-two', nodeApp('two'));
    await client.apply(desired('code-two'));
    expect(await textOf(url)).toBe('two');
    await client.apply({ ...desired('code-two'), running: false });
    expect((await fetch(url)).status).toBe(503);
    const spec = await readSpec(folder);
    expect(await markedProcesses(`${spec?.mark}.run`, spec?.owner)).toEqual([]);
    await client.apply(desired('code-two'));
    expect(await textOf(url)).toBe('two');
  });

  it('that dies at once fails with its last lines, and leaves what served', async () => {
    const { client } = await rig.agent();
    await sendFiles(client, 'code-good', nodeApp('good'));
    await client.apply(desired('code-good'));
    const url = await expose(client);
    await sendFiles(client, 'code-bad', nodeApp('', 'console.log("line one"); throw new Error("no luck");'));
    await expect(client.apply(desired('code-bad'))).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('exit code 1'),
      lastLines: expect.arrayContaining(['line one', expect.stringContaining('no luck')]),
    });
    expect(await textOf(url)).toBe('good');
    expect((await client.status()).application).toMatchObject({ phase: 'running', codeVersionId: 'code-good' });
  });

  it('that never answers fails when its time is over, and nothing of it remains', async () => {
    const { client, folder } = await rig.agent();
    await sendFiles(client, 'code-mute', { 'package.json': '{"main":"m.js"}', 'm.js': 'setInterval(() => {}, 1000);' });
    await expect(client.apply(desired('code-mute', { startSeconds: 2 }))).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/did not answer HTTP within 2 seconds.*PORT/),
    });
    const spec = await readSpec(folder);
    expect(await markedProcesses(`${spec?.mark}.run`, spec?.owner)).toEqual([]);
  });

  it('that is killed is started again', async () => {
    const { client } = await rig.agent();
    await sendFiles(client, 'code-one', nodeApp('one'));
    const { application } = await client.apply(desired('code-one'));
    const url = await expose(client);
    process.kill(application.pid ?? 0, 'SIGKILL');
    const status = await eventually(client, ({ application: now }) => now.restarts === 1 && now.phase === 'running');
    expect(status.application.reason).toMatch(/SIGKILL/);
    expect(await textOf(url)).toBe('one');
  });
});

describe('static files', () => {
  it('are served', async () => {
    const { client } = await rig.agent({ type: 'static' });
    await sendFiles(client, 'code-s', { 'index.html': '<h1>hello</h1>', 'a/b.css': 'p{}' });
    await client.apply(desired('code-s'));
    const url = await expose(client);
    expect(await textOf(url)).toBe('<h1>hello</h1>');
  });
});

it('killing an agent leaves nothing', async () => {
  const { client, agentId, folder } = await rig.agent();
  await sendFiles(client, 'code-one', nodeApp('one'));
  await client.apply(desired('code-one'));
  const spec = await readSpec(folder);
  await rig.cloud.kill(agentId);
  expect(await markedProcesses(spec?.mark ?? '', spec?.owner)).toEqual([]);
  expect(await readdir(join(rig.data, 'conpaas', 'agents'))).not.toContain(agentId);
  expect(await readdir(join(rig.data, 'conpaas', 'apps'))).not.toContain(agentId);
});
