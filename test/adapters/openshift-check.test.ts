import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { openshiftDefinition } from '../../adapters/openshift/definition.js';
import { groupOf } from '../../adapters/openshift/kinds.js';
import { PROJECT_RIGHTS } from '../../adapters/openshift/rights.js';
import { call } from '../contract/adapter-stage.js';
import type { FakeOpenShift } from '../support/openshift.js';
import { SILENT, withDefaults } from '../support/openshift-bench.js';
import { ENVIRONMENT, INSTALLATION, onOpenShift, PROJECT } from '../support/openshift-stage.js';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/openshift.md'), 'utf8');

async function check(
  fake: FakeOpenShift,
  options: Record<string, unknown> = {},
): Promise<Record<string, { ok: boolean; text: string }>> {
  const given = withDefaults({ server: fake.url, token: fake.token('alice'), ...options });
  const context = { platform: 'OS', installation: INSTALLATION, options: given, log: SILENT };
  const results = await openshiftDefinition.check?.(context, AbortSignal.timeout(20_000));
  return Object.fromEntries((results ?? []).map(({ ok, subject, text }) => [subject, { ok, text }]));
}

describe('platform check', () => {
  test('says who the account is, what there is and where applications will answer', () =>
    onOpenShift(async ({ fake }) => {
      const told = await check(fake);
      expect(Object.values(told).every((one) => one.ok)).toBe(true);
      expect(told['account']?.text).toBe('logged in as alice');
      expect(told['builder images in openshift']?.text).toMatch(/nodejs \(20, 22\).*tomcat \(9, 10\).*jboss \(7.4\)/);
      expect(told['database images']?.text).toMatch(/mysql \(8.0\).*postgresql \(13, 16\)/);
      expect(told['route domain']?.text).toContain('the cluster chooses');
      expect(fake.inventory()).toEqual([]);
    }));

  test('names every right that is missing in the projects of this gateway', () =>
    onOpenShift(async ({ fake, adapter }) => {
      await adapter.createEnvironment(ENVIRONMENT, call());
      expect((await check(fake))[`rights in project ${PROJECT}`]).toMatchObject({ ok: true });
      fake.rights.deny({ verb: 'patch', plural: 'routes' });
      fake.rights.deny({ plural: 'buildconfigs', subresource: 'instantiatebinary' });
      const told = (await check(fake))[`rights in project ${PROJECT}`];
      expect(told?.ok).toBe(false);
      expect(told?.text).toMatch(/may not: patch routes, create buildconfigs\/instantiatebinary\./);
    }));

  test('tells an account that may not request projects, a cluster without builders, a configured domain', () =>
    onOpenShift(
      async ({ fake }) => {
        fake.rights.deny({ verb: 'create', plural: 'projectrequests' });
        const told = await check(fake, { routeDomain: 'shops.example.org', tls: false });
        expect(told['projects']).toMatchObject({ ok: false, text: expect.stringContaining('self-provisioner') });
        expect(told['builder images in openshift']).toMatchObject({ ok: false });
        expect(told['route domain']).toEqual({ ok: true, text: 'http://….shops.example.org (configured)' });
      },
      { fake: { bare: true } },
    ));

  test('ends with the account when that is not accepted, and never shows the token', () =>
    onOpenShift(async ({ fake }) => {
      const told = await check(fake, { token: 'sha256~expired' });
      expect(Object.keys(told)).toEqual(['account']);
      expect(told['account']).toMatchObject({ ok: false, text: expect.stringContaining('new token') });
      expect(JSON.stringify(told)).not.toContain('sha256~expired');
    }));
});

interface Role {
  kind: string;
  metadata: { name: string };
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

const rolesIn = (text: string): Role[] =>
  [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, yaml = '']) =>
    parseAllDocuments(yaml).map((one) => one.toJS() as Role),
  );
const allowed = (role: Role | undefined): string[] =>
  (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource} ${group}`))),
  );

describe('the roles in docs/openshift.md', () => {
  const role = (name: string) =>
    rolesIn(DOCUMENT).find((one) => one.kind === 'ClusterRole' && one.metadata.name === name);

  test('give exactly the rights that the check asks for', () => {
    const needed = PROJECT_RIGHTS.map(
      ({ kind, verb, subresource }) =>
        `${verb} ${[kind.plural, subresource].filter(Boolean).join('/')} ${groupOf(kind)}`,
    );
    expect(allowed(role('coaps-gateway')).sort()).toEqual(needed.sort());
  });

  test('and these are exactly what the adapter uses in a project', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      const VERBS: Record<string, string> = { POST: 'create', PATCH: 'patch', DELETE: 'delete', PUT: 'update' };
      const used = new Set<string>();
      fake.onAnswer((seen) => {
        const [, group = '', rest = ''] =
          /^\/apis?\/(?:([a-z.]+)\/)?v1\/(.*)$/.exec(seen.path.replace('/api/v1', '/api/v1')) ?? [];
        const inProject =
          /^namespaces\/[^/]+\/(.*)$/.exec(rest)?.[1] ?? (rest.startsWith(`projects/${PROJECT}`) ? rest : undefined);
        if (inProject === undefined || rest.startsWith('namespaces/openshift/')) return;
        const [plural = '', name, subresource] = inProject.split('/');
        const read = seen.query.get('watch') === 'true' ? 'watch' : name === undefined ? 'list' : 'get';
        used.add(`${VERBS[seen.method] ?? read} ${[plural, subresource].filter(Boolean).join('/')} ${group}`);
      });
      const environment = { ...ENVIRONMENT, nodes: [{ name: 'mysql', contentType: 'database' }] };
      const spec = await page('x', { environment });
      await adapter.createEnvironment(environment, call());
      await adapter.deploy(spec, call());
      await adapter.start(spec.key, call());
      await adapter.observe(call());
      await adapter.logs(spec.key, { lines: 1, follow: false }, call());
      await adapter.undeploy(spec.key, call());
      await adapter.deleteEnvironment(environment, call());
      const given = allowed(role('coaps-gateway'));
      expect([...used].filter((one) => !given.includes(one))).toEqual([]);
    }));
});
