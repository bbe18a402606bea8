import { randomUUID } from 'node:crypto';
import type { BrokerBehaviour, Offering, User } from './objects.js';
import type { World } from './world.js';

/** Secrets that tests plant: they must stand nowhere in what the adapter says. */
export const PASSWORDS = {
  dev: 'planted-password-7d1f',
  client: 'planted-client-secret-03ab',
  database: 'planted-db-password-55e0',
};

const BUILDPACKS = ['staticfile', 'java', 'ruby', 'nodejs', 'go', 'python', 'php', 'binary', 'nginx'];

/** What a platform has before anybody uses it: two organisations that matter, their spaces and people, and a marketplace. */
export function seed(world: World): void {
  const org = (name: string) => {
    const made = { ...world.thing(), name, suspended: false, quota: { total_memory_in_mb: 10_240 } };
    world.orgs.push(made);
    return made;
  };
  const space = (name: string, of: ReturnType<typeof org>) => {
    const made = { ...world.thing(), name, org: of };
    world.spaces.push(made);
    return made;
  };
  org('system');
  const acme = org('acme');
  const globex = org('globex');
  org('initech');
  const [dev, prod] = [space('dev', acme), space('prod', acme)];
  space('test', acme);
  space('main', globex);

  const user = (name: string, changes: Partial<User>) => {
    const scopes = ['cloud_controller.read', 'cloud_controller.write'];
    world.users.push({ guid: randomUUID(), name, password: name, admin: false, scopes, roles: new Map(), ...changes });
  };
  user('dev', {
    password: PASSWORDS.dev,
    roles: new Map([
      [dev.guid, 'developer'],
      [prod.guid, 'developer'],
    ]),
  });
  user('robot', { password: PASSWORDS.client, roles: new Map([[dev.guid, 'developer']]) });
  user('auditor', { roles: new Map([[dev.guid, 'auditor']]) });
  user('stranger', {});
  user('reader', { scopes: ['cloud_controller.read'], roles: new Map([[dev.guid, 'developer']]) });
  user('scopeless', { scopes: [], roles: new Map([[dev.guid, 'developer']]) });
  user('admin', { admin: true });

  world.domains.push(
    { ...world.thing(), name: 'apps.cf.example' },
    { ...world.thing(), name: 'sys.cf.example', owner: 'system' },
  );
  world.stacks.push({ ...world.thing(), name: 'cflinuxfs4' });
  for (const name of BUILDPACKS) {
    world.buildpacks.push({ ...world.thing(), name: `${name}_buildpack`, stack: 'cflinuxfs4', state: 'READY' });
  }
  for (const flag of [
    'app_bits_upload',
    'app_scaling',
    'diego_cnb',
    'diego_docker',
    'route_creation',
    'user_org_creation',
  ])
    world.flags.set(flag, { enabled: !['diego_cnb', 'diego_docker', 'user_org_creation'].includes(flag) });
  seedMarketplace(world);
}

function seedMarketplace(world: World): void {
  const broker = randomUUID();
  const features = {
    plan_updateable: true,
    bindable: true,
    instances_retrievable: true,
    bindings_retrievable: true,
    allow_context_updates: false,
  };
  const offering = (name: string, description: string, tags: string[]): Offering => {
    const made = { ...world.thing(), name, description, tags, id: `svc-${name}`, features, metadata: {}, broker };
    world.offerings.push(made);
    return made;
  };
  const plan = (of: Offering, name: string, behaviour: Partial<BrokerBehaviour> = {}, free = true) => {
    const does: BrokerBehaviour = { provision: 'now', deprovision: 'now', bind: 'now', ...behaviour };
    world.plans.push({
      ...world.thing(),
      name,
      description: `the plan ${name}`,
      free,
      public: true,
      offering: of,
      broker: does,
    });
  };
  const postgres = offering('postgres', 'PostgreSQL databases', ['postgres', 'relational']);
  postgres.metadata = { displayName: 'PostgreSQL' };
  plan(postgres, 'small');
  plan(postgres, 'slow', {
    provision: 'later',
    deprovision: 'later',
    bind: {
      'refuses parameters': 'This service supports generation of credentials through binding an application only.',
    },
  });
  plan(postgres, 'broken', { provision: { fails: 'no capacity left in zone z1' } });
  plan(postgres, 'late-broken', { provision: { 'fails later': 'disk could not be attached' } });
  plan(postgres, 'large', {}, false);
  plan(offering('mail', 'SMTP relay', []), 'free');
  const mysql = offering('p.mysql', 'MySQL databases', ['mysql', 'relational']);
  plan(mysql, 'db-small');
}
