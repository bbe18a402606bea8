import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openStage, PASSWORD, type Stage } from '../support/stage.js';

const ROOT = join(import.meta.dirname, '../..');
const missing = ['bash', 'curl', 'zip'].filter((program) => !isThere(program));

function isThere(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.some((folder) => {
    try {
      readFileSync(join(folder, program)).at(0);
      return true;
    } catch {
      return false;
    }
  });
}

/** The commands between these marks, as a reader copies them. */
function block(mark: string): string {
  const [, marked = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(`<!-- ${mark} -->`);
  return marked.split('```sh')[1]?.split('```')[0] ?? '';
}

(missing.length > 0 ? describe.skip : describe)(`README (without ${missing.join(', ') || 'nothing'})`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage.close());

  it('has a scenario with curl that works as it stands there', async () => {
    const served = await stage.serve();
    const script = block('scenario')
      .replace(/^COAPS=.*$/m, `COAPS=${served.base}`)
      .replace(/^AUTH=.*$/m, `AUTH=admin:${PASSWORD}`)
      .replaceAll('/tmp/hello.zip', join(stage.directory, 'hello.zip'))
      .replace(/^curl /gm, 'curl -sS --fail-with-body ');
    expect(script.match(/^curl /gm)?.length).toBeGreaterThan(10);
    const { stdout } = await promisify(execFile)('bash', ['-e', '-c', script], { cwd: ROOT });
    for (const said of [
      'envId="1"',
      'appId="1"',
      'versionId="1"',
      'state="STARTED"',
      '<h1>Hello from Node</h1>',
      'hello-node listens',
    ])
      expect(stdout).toContain(said);
    expect(stdout).toContain('The environment with ID 1 was deleted.');
    expect(stage.processes()).toEqual([served.child.process.pid]);
  });
});
