import type { Action } from '../../src/api/action.js';
import { filledPath, type PathValues } from '../../src/api/lookup.js';
import { openApi } from '../../src/api/openapi.js';
import { type ActionKey, TABLE } from '../../src/api/table.js';
import { createAgreement, type OpenApi } from '../support/agreement.js';
import { ADMIN, startGateway, type TestGateway } from '../support/gateway.js';
import type { RawRequest } from '../support/raw-request.js';
import { ADA, BOB, type Ids, openWorld, siteForm, type World } from '../support/world.js';

let gateway: TestGateway;
let world: World;
beforeAll(async () => {
  gateway = await startGateway({ platforms: { MEM: { adapter: 'memory' } } });
  world = await openWorld(gateway);
});
afterAll(() => gateway.close());

const xml = (body: string): RawRequest => ({ headers: { 'Content-Type': 'application/xml' }, body });
const APPLICATION = xml('<m><paas_application name="A"/></m>');
const ENVIRONMENT = xml(
  '<m><paas_environment name="E"><paas_node content_type="container" name="static"/></paas_environment></m>',
);
const INSTANCE = xml('<m><paas_version_instance name="J"/></m>');

/** How a row is tried: what must be there first, and what is sent. */
interface Trial {
  /** Makes what the path names, in the state in which the action works. */
  make?: () => Promise<PathValues>;
  send?: RawRequest;
  /** Makes what the path names in a state that forbids the action (409). */
  wrong?: () => Promise<PathValues>;
  /** The one who is meant to do it: ada unless only an admin may. */
  user?: string;
  /** What a user of another tenant gets; 404 unless it says otherwise. */
  foreign?: number;
  /** What an id that nothing has gets; 404. */
  unknown?: number;
}

const application = async (): Promise<PathValues> => ids(await world.application());
const deployed = async (): Promise<PathValues> => ids(await world.deployed());
const started = async (): Promise<PathValues> => ids(await world.started());
const ids = (made: Ids): PathValues => ({ ...made });
const environment = async (): Promise<PathValues> => ({ envId: await world.environment() });
const own = async (): Promise<PathValues> => ({ name: 'ada' });
let users = 0;
const someone = async (): Promise<PathValues> => {
  const name = `user${++users}`;
  const { status } = await gateway.request('/user', {
    method: 'POST',
    ...xml(`<user name="${name}" password="long-enough-1" tenant="red"/>`),
  });
  expect(status).toBe(200);
  return { name };
};
const key = async (): Promise<PathValues> => {
  const { text } = await world.send('POST', '/user/ada/key');
  return { name: 'ada', keyId: /keyId="([^"]+)"/.exec(text)?.[1] ?? '' };
};
const task = async (): Promise<PathValues> => {
  const made = await world.application();
  const path = filledPath(TABLE.deployApplication.path, ids(made)) ?? '';
  const { headers } = await world.send('POST', path, { headers: { Prefer: 'respond-async' } });
  return { taskId: Number(headers.location?.split('/').at(-1)) };
};

const TRIALS: Record<ActionKey, Trial> = {
  createApplication: { send: APPLICATION },
  findApplications: {},
  deleteApplications: {},
  describeApplication: { make: application },
  updateApplication: { make: application, send: APPLICATION },
  deleteApplication: { make: started },
  startApplication: { make: deployed, wrong: application },
  stopApplication: { make: started, wrong: application },
  restartApplication: { make: started, wrong: application },
  deployApplicationOnEnvironment: { make: application, send: siteForm() },
  undeployApplicationFromEnvironment: { make: deployed, wrong: application },
  scaleApplication: {
    make: async () => ({ ...(await deployed()), count: 2 }),
    wrong: async () => ({ ...(await application()), count: 2 }),
  },
  createApplicationVersion: { make: application, send: siteForm() },
  findApplicationVersions: { make: application },
  describeApplicationVersion: { make: application },
  deleteApplicationVersion: { make: deployed },
  findApplicationVersionArtefacts: { make: application },
  downloadArtefact: { make: async () => ({ ...(await application()), name: 'site.zip' }) },
  createApplicationVersionInstance: { make: application, send: INSTANCE },
  findApplicationVersionInstances: { make: application },
  describeApplicationVersionInstance: { make: application },
  deleteApplicationVersionInstance: { make: deployed },
  startApplicationVersionInstance: { make: deployed, wrong: application },
  stopApplicationVersionInstance: { make: started, wrong: application },
  restartApplicationVersionInstance: { make: started, wrong: application },
  getInstanceLogs: { make: started, wrong: application },
  createEnvironment: { send: ENVIRONMENT },
  findEnvironments: {},
  getInformation: {},
  getEnvironment: { make: environment },
  updateEnvironment: { make: environment, send: ENVIRONMENT },
  deleteEnvironment: { make: environment, wrong: deployed },
  startEnvironment: { make: deployed },
  stopEnvironment: { make: started },
  restartEnvironment: { make: started },
  deployApplication: { make: application },
  undeployApplication: { make: deployed, wrong: application },
  getDeployedApplicationVersionInstance: { make: deployed },
  findTasks: {},
  getTask: { make: task },
  cancelTask: { make: task },
  findUsers: { user: ADMIN },
  createUser: { user: ADMIN, send: xml('<user name="fresh" password="long-enough-1"/>') },
  describeUser: { user: ADMIN, make: someone },
  updateUser: { user: ADMIN, make: someone, send: xml('<user email="a@example.org"/>') },
  deleteUser: { user: ADMIN, make: someone },
  changePassword: { make: own, send: xml(`<password value="${ADA.split(':')[1]}"/>`), foreign: 403, unknown: 403 },
  createKey: { make: own, foreign: 403, unknown: 403 },
  findKeys: { make: own, foreign: 403, unknown: 403 },
  deleteKey: { make: key, foreign: 403, unknown: 403 },
  findAuditEvents: { user: ADMIN },
  describeService: {},
  getWadl: {},
  getOpenApi: {},
};

const rows = (Object.entries(TABLE) as [ActionKey, Action][]).map(([name, action]): [ActionKey, Action, Trial] => [
  name,
  action,
  TRIALS[name],
]);
const addresses = rows.flatMap(([name, action, trial]) =>
  [`${action.method} ${action.path}`, ...(action.aliases ?? [])].map(
    (address): [string, ActionKey, Trial, string, string] => {
      const [method = '', path = ''] = address.split(' ');
      return [address, name, trial, method, path];
    },
  ),
);
const pathOf = async (path: string, make: Trial['make']) => filledPath(path, (await make?.()) ?? {}) as string;
const code = (text: string) => /<error [^>]*code="([^"]+)" status=/.exec(text)?.[1];

const agree = createAgreement(openApi(TABLE, { base: '/', version: '0' }) as unknown as OpenApi);

describe.each(addresses)('%s', (_, name, trial, method, path) => {
  /** Sends it, and holds the answer against the OpenAPI document. */
  const ask = async (at: string, request: RawRequest) => {
    const answer = await gateway.request(at, { method, ...request });
    const type = answer.headers['content-type']?.split(';')[0] ?? '';
    expect(agree({ method, route: path, status: answer.status, type, body: answer.text })).toEqual([]);
    return answer;
  };
  const action: Action = TABLE[name];
  const user = trial.user ?? ADA;
  /** One thing serves for every refusal, and at last for what works: no refusal may have touched it. */
  let made: string;
  beforeAll(async () => {
    made = await pathOf(path, trial.make);
  });

  test('is 401 without credentials', async () => {
    const answer = await ask(made, { user: '', ...trial.send });
    expect([answer.status, code(answer.text)]).toEqual([401, 'Unauthorized']);
  });

  test('is 405 with another method', async () => {
    const answer = await gateway.request(made, { user, method: 'PATCH' });
    expect([answer.status, code(answer.text)]).toEqual([405, 'MethodNotAllowed']);
    expect(answer.headers.allow?.split(', ')).toContain(method);
  });

  test('answers HEAD without doing anything', async () => {
    const answer = await gateway.request(made, { user, method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers.allow?.split(', ')).toEqual(expect.arrayContaining([method, 'HEAD', 'OPTIONS']));
  });

  if (!action.roles.includes('user')) {
    test('is 403 for a user', async () => {
      const answer = await ask(made, { user: ADA, ...trial.send });
      expect([answer.status, code(answer.text)]).toEqual([403, 'AccessDenied']);
    });
  } else if (path.includes('{')) {
    test(`is ${trial.foreign ?? 404} for a user of another tenant`, async () => {
      const answer = await ask(made, { user: BOB, ...trial.send });
      expect([made, answer.status]).toEqual([made, trial.foreign ?? 404]);
      const head = await gateway.request(made, { user: BOB, method: 'HEAD' });
      expect([made, head.status]).toEqual([made, trial.foreign ?? 404]);
    });
  }

  if (path.includes('{')) {
    test(`is ${trial.unknown ?? 404} for what there is not`, async () => {
      const unknown = filledPath(path, NONE) as string;
      const answer = await ask(unknown, { user, ...trial.send });
      expect([answer.status, answer.text]).toEqual([
        trial.unknown ?? 404,
        expect.not.stringMatching(/(appId|envId)="/),
      ]);
    });
  }

  if (action.body && action.body !== 'none') {
    test('is 400 with a body that cannot be read', async () => {
      const broken = xml('<paas_application_manifest><paas_application');
      const answer = await ask(made, { user, ...broken });
      expect([answer.status, code(answer.text)]).toEqual([400, 'InvalidValue']);
    });
  }

  if (trial.wrong) {
    test('is 409 in a state that forbids it, and says what to do', async () => {
      const answer = await ask(await pathOf(path, trial.wrong), { user, ...trial.send });
      expect([answer.status, code(answer.text)]).toEqual([409, 'Conflict']);
    });
  }

  test(`works: ${name}`, async () => {
    const answer = await ask(made, { user, ...uniquely(name, trial.send) });
    expect([answer.status, code(answer.text)]).toEqual([200, undefined]);
    expect(answer.headers['content-type']).toBe(TYPES[action.response] ?? 'application/xml');
  });
});

const NONE = {
  appId: 999_999,
  versionId: 9,
  instanceId: 9,
  envId: 999_999,
  taskId: 999_999,
  count: 2,
  name: 'nobody',
  keyId: 'none',
};
const TYPES: Partial<Record<Action['response'], string>> = {
  bytes: 'application/octet-stream',
  logs: 'text/plain; charset=utf-8',
  wadl: 'application/vnd.sun.wadl+xml',
  openapi: 'application/json',
};

/** A name can be given to one user only. */
function uniquely(name: ActionKey, send: RawRequest | undefined): RawRequest | undefined {
  return name === 'createUser' ? xml(`<user name="fresh${++users}" password="long-enough-1"/>`) : send;
}
