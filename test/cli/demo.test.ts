import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { eventually } from '../support/conditions.js';
import { rawRequest } from '../support/raw-request.js';
import { openStage, type Stage } from '../support/stage.js';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('coaps-demo-'));

describe('coaps demo', () => {
  it('goes through the scenario, shows a URL that answers, and leaves nothing at Ctrl-C', async () => {
    const before = leftovers();
    const demo = stage.coaps(['demo']);
    const [, url = ''] = await demo.printed(/The example application answers at {2}(http\S+)/, 120);
    expect((await rawRequest(url)).text).toContain('<h1>Hello from Node</h1>');
    for (const step of [
      'Created environment 1',
      'Created application 1',
      'Created version 1',
      'Created instance 1',
      'Deployed',
      'Started',
    ])
      expect(demo.stderr()).toContain(step);
    const [, command = '', user = '', path = ''] = /curl -u (admin:(\S+)) (\S+)/.exec(demo.stdout()) ?? [];
    expect(user).not.toBe('');
    expect((await rawRequest(path, { user: command })).text).toContain('status="STARTED"');
    expect(stage.processes().length).toBeGreaterThan(1);

    // npm sends its child the Ctrl-C that the terminal has sent already.
    demo.process.kill('SIGINT');
    expect(await demo.kill('SIGINT')).toBe(0);
    expect(stage.processes()).toEqual([]);
    expect(leftovers()).toEqual(before);
    await expect(rawRequest(url)).rejects.toThrow();
  }, 180_000);

  it('can be interrupted in the middle of a step', async () => {
    const demo = stage.coaps(['demo']);
    await eventually(() => expect(demo.stderr()).toContain('Created instance 1'), 120);
    expect(await demo.kill('SIGINT')).toBe(0);
    expect(stage.processes()).toEqual([]);
    expect(demo.stderr()).toMatch(/The demo has ended; nothing of it is left\.\n$/);
  }, 180_000);

  it('that was killed is cleaned up by the next one, which starts clean', async () => {
    const killed = stage.coaps(['demo']);
    const [, url = ''] = await killed.printed(/The example application answers at {2}(http\S+)/, 120);
    const [data = ''] = leftovers().slice(-1);
    await killed.kill('SIGKILL');
    expect((await rawRequest(url)).status).toBe(200);
    const next = stage.coaps(['demo']);
    await next.printed(/The example application answers at/, 120);
    expect(existsSync(`${tmpdir()}/${data}`)).toBe(false);
    await expect(rawRequest(url)).rejects.toThrow();
    expect(next.stderr()).toContain('Created application 1 ');
    await next.kill('SIGINT');
    await eventually(() => expect(stage.processes()).toEqual([]));
  }, 300_000);
});
