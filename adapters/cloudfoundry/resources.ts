import * as z from 'zod';
import { AdapterError } from '../adapter.js';

/**
 * What is read of the Cloud Controller's documents, and nothing more. A relationship without a target is `{data: null}` on a real server,
 * and an app without a droplet has `{data: {guid: null}}`.
 */
const toOne = z
  .object({ data: z.object({ guid: z.string().nullable() }).nullable() })
  .nullish()
  .transform((relation) => relation?.data?.guid ?? undefined);
const labels = z
  .object({ labels: z.record(z.string(), z.string().nullable()) })
  .nullish()
  .transform((metadata) => metadata?.labels ?? {});
const lastOperation = z.object({ type: z.string(), state: z.string(), description: z.string().nullish() }).nullish();

const app = z.object({
  guid: z.string(),
  name: z.string(),
  state: z.enum(['STARTED', 'STOPPED']),
  relationships: z.object({ space: toOne, current_droplet: toOne }),
  metadata: labels,
});
const instance = z.object({ index: z.number(), state: z.string(), details: z.string().nullish() });
const process = z.object({
  guid: z.string(),
  type: z.string(),
  created_at: z.string(),
  instances: z.number(),
  memory_in_mb: z.number(),
  disk_in_mb: z.number(),
  relationships: z.object({ app: toOne }),
  process_instances: z.array(instance).optional(),
});
const stats = z.object({ resources: z.array(instance) });
const appPackage = z.object({
  guid: z.string(),
  state: z.string(),
  data: z.object({ error: z.string().nullish() }).nullish(),
});
const build = z.object({
  guid: z.string(),
  created_at: z.string(),
  state: z.string(),
  error: z.string().nullish(),
  package: z.object({ guid: z.string() }),
  droplet: z.object({ guid: z.string() }).nullish(),
});
const droplet = z.object({ guid: z.string(), state: z.string() });
const deployment = z.object({
  guid: z.string(),
  status: z.object({ value: z.string(), reason: z.string().nullish() }),
  droplet: z.object({ guid: z.string().nullish() }).nullish(),
});
const route = z.object({
  guid: z.string(),
  host: z.string(),
  url: z.string(),
  destinations: z.array(z.object({ guid: z.string().nullish(), app: z.object({ guid: z.string() }) })),
  metadata: labels,
});
const serviceInstance = z.object({
  guid: z.string(),
  name: z.string(),
  last_operation: lastOperation,
  metadata: labels,
});
const serviceOffering = z.object({ guid: z.string(), name: z.string(), tags: z.array(z.string()).nullish() });
const servicePlan = z.object({
  guid: z.string(),
  name: z.string(),
  free: z.boolean(),
  relationships: z.object({ service_offering: toOne }),
});
const binding = z.object({
  guid: z.string(),
  last_operation: lastOperation,
  relationships: z.object({ service_instance: toOne }),
});
const buildpack = z.object({
  guid: z.string(),
  name: z.string(),
  stack: z.string().nullish(),
  state: z.string().optional(),
  enabled: z.boolean(),
});
const named = z.object({ guid: z.string(), name: z.string() });
const organization = named.extend({ suspended: z.boolean().optional() });
const job = z.object({
  guid: z.string(),
  state: z.string(),
  errors: z.array(z.object({ code: z.number(), title: z.string(), detail: z.string() })).nullish(),
});
const crash = z.object({
  created_at: z.string(),
  target: z.object({ guid: z.string() }),
  data: z.object({ exit_description: z.string().nullish(), reason: z.string().nullish() }).nullish(),
});
const quota = z.object({
  apps: z.object({ total_memory_in_mb: z.number().nullable(), per_process_memory_in_mb: z.number().nullable() }),
});
const root = z.object({
  links: z.record(
    z.string(),
    z.object({ href: z.string(), meta: z.object({ version: z.string().optional() }).optional() }).nullable(),
  ),
});
const token = z.object({ access_token: z.string(), refresh_token: z.string().optional(), expires_in: z.number() });
const envelopes = z.object({
  envelopes: z.object({
    batch: z.array(
      z.object({
        timestamp: z.string(),
        instance_id: z.string().optional(),
        tags: z.record(z.string(), z.string()).optional(),
        log: z.object({ payload: z.string(), type: z.string().optional() }).optional(),
      }),
    ),
  }),
});

export type App = z.output<typeof app>;
export type Process = z.output<typeof process>;
export type ProcessInstance = z.output<typeof instance>;
export type Package = z.output<typeof appPackage>;
export type Build = z.output<typeof build>;
export type Deployment = z.output<typeof deployment>;
export type Route = z.output<typeof route>;
export type ServiceInstance = z.output<typeof serviceInstance>;
export type ServiceOffering = z.output<typeof serviceOffering>;
export type ServicePlan = z.output<typeof servicePlan>;
export type Binding = z.output<typeof binding>;
export type Buildpack = z.output<typeof buildpack>;
export type Job = z.output<typeof job>;
export type Crash = z.output<typeof crash>;
export type Envelopes = z.output<typeof envelopes>;

/** One reader for each kind of document: throws `unavailable` when an answer is something else. */
export const read = {
  app: reader('app', app),
  process: reader('process', process),
  stats: reader('statistics of a process', stats),
  package: reader('package', appPackage),
  build: reader('build', build),
  droplet: reader('droplet', droplet),
  deployment: reader('deployment', deployment),
  route: reader('route', route),
  serviceInstance: reader('service instance', serviceInstance),
  serviceOffering: reader('service offering', serviceOffering),
  servicePlan: reader('service plan', servicePlan),
  binding: reader('credential binding', binding),
  buildpack: reader('buildpack', buildpack),
  organization: reader('organization', organization),
  named: reader('named resource', named),
  job: reader('job', job),
  crash: reader('crash event', crash),
  quota: reader('quota', quota),
  root: reader('root document', root),
  token: reader('token', token),
  envelopes: reader('log', envelopes),
};

export type Reader<T> = (body: unknown) => T;

const page = z.object({
  pagination: z.object({ next: z.object({ href: z.string() }).nullable() }),
  resources: z.array(z.unknown()),
});

/** One page of a list: its members, and where the next page is. */
export function readPage<T>(body: unknown, member: Reader<T>): { members: T[]; next?: string } {
  const { pagination, resources } = reader('list', page)(body);
  const members = resources.map(member);
  return pagination.next ? { members, next: pagination.next.href } : { members };
}

function reader<S extends z.ZodType>(what: string, schema: S): Reader<z.output<S>> {
  return (body) => {
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    // Paths only: the values may be a stranger's secrets.
    const where = result.error.issues.map((issue) => issue.path.join('.') || 'its root').join(', ');
    throw new AdapterError('unavailable', `Cloud Foundry answered with something that is no ${what} (at ${where}).`);
  };
}
