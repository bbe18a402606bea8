import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { AdapterError } from '../../adapters/adapter.js';
import { jobError, readErrors, translate } from '../../adapters/cloudfoundry/errors.js';
import { type Reader, read, readPage } from '../../adapters/cloudfoundry/resources.js';
import { UpstreamError } from '../../adapters/upstream.js';
import type { Recorded } from '../support/cloudfoundry/replay.js';

/** Beside the checkout; not part of the project. */
const FOLDER = join(import.meta.dirname, '../../../shared/contracts/recordings/cloudfoundry');
const present = existsSync(FOLDER);
const whenPresent = present ? describe : describe.skip;

if (!present) test.skip(`the recordings are not at ${FOLDER}`, () => {});

const exchanges = present ? readdirSync(FOLDER).flatMap(readRecording) : [];

/** The reader for each address, first match first. */
const READERS: [RegExp, Reader<unknown>][] = [
  [/^\/$/, read.root],
  [/^\/oauth\/token$/, read.token],
  [/^\/api\/v1\/read\//, read.envelopes],
  [/^\/v3\/jobs\//, read.job],
  [/\/stats$/, read.stats],
  [/\/processes(\/web|\/[0-9a-f-]{36})?(\/actions\/scale)?$/, read.process],
  [/\/droplets(\/current|\/[0-9a-f-]{36})?$/, read.droplet],
  [/\/packages(\/[0-9a-f-]{36}(\/upload)?)?$/, read.package],
  [/\/builds(\/[0-9a-f-]{36})?$/, read.build],
  [/\/routes(\/[0-9a-f-]{36})?$/, read.route],
  [/^\/v3\/deployments(\/[0-9a-f-]{36})?$/, read.deployment],
  [/^\/v3\/apps(\/[0-9a-f-]{36}(\/actions\/(start|stop|restart))?)?$/, read.app],
  [/^\/v3\/service_instances(\/[0-9a-f-]{36})?$/, read.serviceInstance],
  [/^\/v3\/service_offerings(\/[0-9a-f-]{36})?$/, read.serviceOffering],
  [/^\/v3\/service_plans(\/[0-9a-f-]{36})?$/, read.servicePlan],
  [/^\/v3\/service_credential_bindings(\/[0-9a-f-]{36})?$/, read.binding],
  [/^\/v3\/buildpacks$/, read.buildpack],
  [/^\/v3\/organizations(\/[0-9a-f-]{36})?$/, read.organization],
  [/^\/v3\/(spaces|domains)(\/[0-9a-f-]{36})?$|\/domains(\/default)?$/, read.named],
  [/^\/v3\/organization_quotas$/, read.quota],
];

whenPresent('the readers take what real servers were recorded to answer', () => {
  const good = exchanges.filter(({ response }) => response.status < 300 && isDocument(response.body));
  const readable = good.flatMap((one) => {
    const path = one.request.path.replace(/\?.*/, '');
    const reader = READERS.find(([pattern]) => pattern.test(path))?.[1];
    return reader ? [{ ...one, reader }] : [];
  });

  test('there is much to read', () => {
    expect(readable.length).toBeGreaterThan(500);
  });

  test('every one of them is read', () => {
    for (const { request, response, reader } of readable) {
      const isList = 'pagination' in (response.body as object);
      const result = isList ? readPage(response.body, reader).members : [reader(response.body)];
      expect({ path: request.path, read: result.every((one) => one !== undefined) }).toEqual({
        path: request.path,
        read: true,
      });
    }
  });

  test('crash events tell why', () => {
    const events = exchanges.filter(({ request }) => /types=audit\.app\.process\.crash/.test(request.path));
    const reasons = events
      .flatMap(({ response }) => readPage(response.body, read.crash).members)
      .map((one) => one.data?.exit_description);
    expect(reasons).toContain('APP/PROC/WEB: Exited with status 1');
  });
});

/** What a recorded refusal means to the gateway: the first that fits. */
const KINDS: [RegExp, string][] = [
  [/^(401|400) .*(CF-InvalidAuthToken|CF-NotAuthenticated|unauthorized|invalid_client|invalid_token)/, 'unauthorized'],
  [/^403 .*CF-NotAuthorized/, 'unauthorized'],
  [/^403 /, 'rejected'],
  [/^404 /, 'not-found'],
  [/^(429|5\d\d) /, 'unavailable'],
  [/^422 .*(already exists|is taken|already bound|taken_different_space)/, 'conflict'],
  [/^422 .*(quota_exceeded|limit exceeded|quota exceeded|too much disk|CF-LabelLimitExceeded)/, 'quota'],
];

whenPresent('recorded refusals become the contract’s errors', () => {
  const bad = exchanges.filter(({ response }) => response.status >= 400);

  test('each has the right kind and the platform’s own words', () => {
    expect(bad.length).toBeGreaterThan(100);
    for (const { request, response } of bad) {
      const { status } = response;
      const body =
        typeof response.body === 'string' && response.body.startsWith('{') ? JSON.parse(response.body) : response.body;
      const [first] = readErrors(body);
      const error = translate(
        new UpstreamError('status', 'it failed', { status, body }),
        'It could not be done',
      ) as AdapterError;
      const line = `${status} ${first?.title} ${first?.detail}`;
      const wanted = KINDS.find(([pattern]) => pattern.test(line))?.[1] ?? 'rejected';
      expect({ path: request.path, line, kind: error.kind }).toEqual({ path: request.path, line, kind: wanted });
      expect(error.message).toContain(first?.detail);
    }
  });

  test('a failed job says what the broker said', () => {
    const failed = exchanges.filter(
      ({ request, response }) =>
        /\/v3\/jobs\//.test(request.path) && (response.body as { state?: string })?.state === 'FAILED',
    );
    const messages = failed.map(({ response }) => jobError('It failed', read.job(response.body).errors ?? []).message);
    expect(messages.join('\n')).toContain('no capacity left in zone z1');
    expect(messages.join('\n')).toContain('unbind is broken');
  });
});

describe('a reader refuses what it does not know', () => {
  test('and names the place, not the value', () => {
    expect(() => read.app({ guid: 'g', name: 'n', state: 'secret-value', relationships: {} })).toThrow(AdapterError);
    expect(() => read.app({ guid: 'g', name: 'n', state: 'secret-value', relationships: {} })).toThrow(
      /no app \(at state\)/,
    );
    expect(() => read.token('<html>')).toThrow(/no token/);
  });
});

function isDocument(body: unknown): boolean {
  return typeof body === 'object' && body !== null;
}

/** Both forms of recording: our own arrays, and the cassettes of a public platform. */
function readRecording(name: string): Recorded[] {
  const content = readFileSync(join(FOLDER, name), 'utf8');
  if (name.endsWith('.json')) return JSON.parse(content) as Recorded[];
  const [document] = parseAllDocuments(content, { schema: 'core' });
  const { interactions } = (document as { toJS(): unknown }).toJS() as { interactions: Cassette[] };
  return interactions.map(({ request, response }) => ({
    request: { method: request.method, path: request.url.replace(/^https?:\/\/[^/]+/, '') },
    response: { status: response.code, body: /^[[{]/.test(response.body) ? JSON.parse(response.body) : response.body },
  }));
}

interface Cassette {
  request: { method: string; url: string };
  response: { code: number; body: string };
}
