import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parameterNames } from '../../src/api/lookup.js';
import { TABLE } from '../../src/api/table.js';
import { finished, openStage, PASSWORD, type Served, type Stage } from '../support/stage.js';
import { SITE } from '../support/world.js';

/** The client's commands against a gateway with a simulated platform. */

let stage: Stage;
let served: Served;
beforeAll(async () => {
  stage = await openStage();
  served = await stage.serve({ COAPS_PLATFORM_MEM_ADAPTER: 'memory' });
});
afterAll(() => stage.close());

function run(args: string[], { env = served.env, stdin }: { env?: Record<string, string>; stdin?: string } = {}) {
  return finished(stage.coaps(args, { env, ...(stdin !== undefined && { stdin }) }));
}

const ENVIRONMENT =
  '<paas_application_manifest><paas_environment name="Env"><paas_environment_template name="T" memory="128"/></paas_environment></paas_application_manifest>';
const APPLICATION =
  '<paas_application_manifest><paas_application name="Shop"><paas_application_version name="v1"><paas_application_version_instance name="I"/></paas_application_version></paas_application></paas_application_manifest>';

describe('the commands of the table', () => {
  it('are all there, with the parameters of their paths', async () => {
    const { stdout } = await run(['--help']);
    for (const [key, { path }] of Object.entries(TABLE)) {
      const parameters = parameterNames(path).map((name) => `<${name}>`);
      const line = stdout.split('\n').find((one) => one.trim().startsWith(`${key} `) || one.trim() === key);
      for (const parameter of parameters) expect(line).toContain(parameter);
      expect(line).toBeDefined();
    }
  });

  it('create from a file and from the standard input, describe for people, as JSON and as XML', async () => {
    const file = join(stage.directory, 'environment.xml');
    writeFileSync(file, ENVIRONMENT);
    const made = await run(['createEnvironment', '--file', 'environment.xml', '--json']);
    expect(made.code).toBe(0);
    const { envId } = JSON.parse(made.stdout) as { envId: number };
    const application = await run(['createApplication', '--json'], { stdin: APPLICATION });
    const { appId } = JSON.parse(application.stdout) as { appId: number };

    const readable = await run(['getEnvironment', String(envId)]);
    expect(readable.stdout).toMatch(/^envName +Env$/m);
    expect(readable.stdout).not.toContain('href');
    const xml = await run(['describeApplication', String(appId), '--xml']);
    expect(xml.stdout).toMatch(/^<\?xml .*<application appId="\d+" appName="Shop"/);
    const listed = await run(['findApplications', '--name', 'Shop']);
    expect(listed.stdout).toMatch(/^ID +NAME.*\n\d+ +Shop /);
    expect((await run(['findApplications', '--name', 'Nobody'])).stdout).toBe('(none)\n');
  });

  it('send an artefact, wait or not, and give its bytes and the output of the application back', async () => {
    writeFileSync(join(stage.directory, 'site.zip'), SITE);
    const { envId } = JSON.parse((await run(['createEnvironment', '--json'], { stdin: ENVIRONMENT })).stdout) as {
      envId: number;
    };
    const { appId } = JSON.parse((await run(['createApplication', '--json'], { stdin: APPLICATION })).stdout) as {
      appId: number;
    };
    const target = [String(envId), String(appId), '1', '1'];
    const deployed = await run(['deployApplication', ...target, '--artefact', 'site.zip', '--json']);
    expect(JSON.parse(deployed.stdout)).toMatchObject({ appId, status: 'STOPPED', envId });
    const started = await run(['startApplicationVersionInstance', ...target.slice(1), '--async', '--json']);
    const { taskId } = JSON.parse(started.stdout) as { taskId: number };
    expect(taskId).toBeGreaterThan(0);
    const again = await run(['startApplicationVersionInstance', ...target.slice(1), '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ state: 'STARTED' });
    expect((await run(['getTask', String(taskId)])).stdout).toMatch(/^status +SUCCEEDED$/m);
    const bytes = await run(['downloadArtefact', String(appId), '1', 'site.zip', '--xml']);
    expect(bytes.code).toBe(2);
    const logs = await run(['getInstanceLogs', ...target.slice(1), '--lines', '5']);
    expect(logs.code).toBe(0);
  });

  it('end with one line and an exit code when something is wrong', async () => {
    expect(await run(['describeApplication', '9999'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'coaps: NotFound: There is no application 9999.\n',
    });
    expect(await run(['describeApplication', '1'], { env: { ...served.env, COAPS_PASSWORD: 'wrong' } })).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^coaps: Unauthorized: .+\n$/),
    });
    const malformed = await run(['createApplication'], { stdin: '<paas_application' });
    expect(malformed).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^coaps: InvalidValue: .*line 1.*\n$/),
    });
    expect((await run(['createApplication', '--file', 'missing.xml'])).stderr).toBe(
      'coaps: missing.xml cannot be read: ENOENT\n',
    );
    const nobody = { COAPS_URL: 'http://127.0.0.1:9/rest', COAPS_USER: 'a:b' };
    expect(await run(['findApplications'], { env: nobody })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'coaps: No gateway answers at http://127.0.0.1:9/rest: start one with "coaps serve", or name another with COAPS_URL.\n',
    });
  });

  it('end with 2 when they are used wrongly', async () => {
    for (const args of [
      ['describeApplication'],
      ['describeApplicatoin', '1'],
      ['findApplications', '--nmae', 'x'],
      ['stop'],
    ]) {
      const { code, stdout, stderr } = await run(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(stderr).toMatch(/^coaps: /);
    }
    const anonymous = await run(['findApplications'], { env: { COAPS_URL: served.base } });
    expect(anonymous).toMatchObject({ code: 2, stderr: expect.stringContaining('Who are you at') });
    const silent = await run(['findApplications'], { env: { COAPS_URL: served.base, COAPS_USER: 'admin' } });
    expect(silent).toMatchObject({ code: 2, stderr: 'coaps: The password of admin is missing: set COAPS_PASSWORD.\n' });
  });
});

describe('coaps login', () => {
  it('keeps checked credentials for this gateway alone, readable for their owner alone', async () => {
    const home = { XDG_CONFIG_HOME: join(stage.directory, 'config') };
    const wrong = await run(['login', served.base, '--user', 'admin:wrong'], { env: home });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    const done = await run(['login', served.base, '--user', 'admin'], { env: { ...home, COAPS_PASSWORD: PASSWORD } });
    expect(done.code).toBe(0);
    expect(done.stdout).not.toContain(PASSWORD);
    const file = join(home.XDG_CONFIG_HOME, 'coaps', 'login.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ url: served.base, user: 'admin', password: PASSWORD });

    expect((await run(['findApplications'], { env: home })).code).toBe(0);
    const elsewhere = await run(['findApplications'], { env: { ...home, COAPS_URL: 'http://127.0.0.1:9/rest' } });
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('Who are you') });
    expect((await run(['logout'], { env: home })).stdout).toBe(`Removed ${file}.\n`);
    expect((await run(['findApplications'], { env: { ...home, COAPS_URL: served.base } })).code).toBe(2);
  });

  it('refuses what is no URL, and a password in one', async () => {
    expect((await run(['login', 'ftp://x'])).stderr).toBe('coaps: "ftp://x" is no http or https URL.\n');
    expect((await run(['login', 'http://a:b@127.0.0.1/'])).stderr).toBe(
      'coaps: Give the user with --user, not in the URL.\n',
    );
  });
});

describe('coaps platform check', () => {
  it('says what there is to say of each platform, and names them for an unknown one', async () => {
    const env = { COAPS_PLATFORM_MEM_ADAPTER: 'memory' };
    expect((await run(['platform', 'check', 'MEM'], { env })).code).toBe(0);
    expect(await run(['platform', 'check', 'CF'], { env })).toMatchObject({
      code: 2,
      stderr: 'coaps: There is no platform "CF"; there are MEM.\n',
    });
    const nowhere = {
      COAPS_PLATFORM_CF_ADAPTER: 'cloudfoundry',
      COAPS_PLATFORM_CF_API_URL: 'http://127.0.0.1:9',
      COAPS_PLATFORM_CF_USER: 'u',
      COAPS_PLATFORM_CF_PASSWORD: 'never-to-be-shown',
      COAPS_PLATFORM_CF_ORG: 'o',
      COAPS_PLATFORM_CF_SPACE: 's',
    };
    const failed = await run(['platform', 'check', 'CF'], { env: nowhere });
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/^MISSING/m);
    expect(failed.stdout + failed.stderr).not.toContain('never-to-be-shown');
  });
});

describe('coaps stop --all', () => {
  it('says how many it ended, and that a running gateway will start them again', async () => {
    const elsewhere = await run(['stop', '--all'], { env: { COAPS_DATA: join(stage.directory, 'nothing') } });
    expect(elsewhere).toEqual({
      code: 0,
      stdout: `Ended 0 agents of ${join(stage.directory, 'nothing')}.\n`,
      stderr: '',
    });
    const here = await run(['stop', '--all'], { env: { COAPS_DATA: stage.data } });
    expect(here).toMatchObject({ code: 0, stderr: expect.stringContaining('A gateway runs on this directory') });
  });
});
