import type { AdapterContext, CheckResult } from '../adapter.js';
import type { AccessReview, ApiObject } from './api-objects.js';
import { readCatalogue } from './catalogue.js';
import { type Client, createClient } from './client.js';
import { openConnection } from './connection.js';
import { isCode, toAdapterError } from './errors.js';
import {
  ACCESS_REVIEW,
  DEPLOYMENT,
  groupOf,
  IMAGE_STREAM,
  INGRESS_CONFIG,
  type Kind,
  PROJECT,
  PROJECT_REQUEST,
  USER,
} from './kinds.js';
import { environmentOf } from './names.js';
import { PROJECT_RIGHTS, type Right } from './rights.js';
import { readSettings, type Settings } from './settings.js';

/** Logs in, and tells what the account may do, which builders there are, and under which domain applications answer. Changes nothing. */
export async function checkOpenShift(context: AdapterContext, signal: AbortSignal): Promise<CheckResult[]> {
  const settings = readSettings(context);
  const client = createClient(await openConnection(settings), settings);
  try {
    const account = await checkAccount(client, signal);
    if (!account.ok) return [account];
    return [
      account,
      ...(await checkProjects(client, settings, signal)),
      await checkObservation(client, signal),
      ...(await checkImages(client, settings, signal)),
      await checkDomain(client, settings, signal),
    ];
  } finally {
    client.close();
  }
}

async function checkAccount(client: Client, signal: AbortSignal): Promise<CheckResult> {
  const subject = 'account';
  try {
    const user = await client.read<ApiObject>(USER, undefined, '~', signal);
    return { ok: true, subject, text: `logged in as ${user?.metadata.name ?? 'a user without a name'}` };
  } catch (failure) {
    return { ok: false, subject, text: words(failure, 'logging in', signal) };
  }
}

async function checkProjects(client: Client, settings: Settings, signal: AbortSignal): Promise<CheckResult[]> {
  const mayRequest = await may(client, { kind: PROJECT_REQUEST, verb: 'create' }, undefined, signal);
  const results: CheckResult[] = [
    mayRequest
      ? {
          ok: true,
          subject: 'projects',
          text: `may request projects (${settings.projectPrefix}-${settings.installation}-e…)`,
        }
      : {
          ok: false,
          subject: 'projects',
          text: 'may not request projects. Bind the cluster role self-provisioner to the account.',
        },
  ];
  const { items } = await client.list<ApiObject>(PROJECT, {}, signal);
  const own = items
    .map((one) => one.metadata.name)
    .filter((one) => environmentOf(settings.projectPrefix, settings.installation, one) !== undefined);
  const [first] = own;
  if (first === undefined) {
    const text =
      'no project of this gateway yet. Who requests a project becomes its administrator, and that is enough.';
    return [...results, { ok: true, subject: 'rights in projects', text }];
  }
  const missing: string[] = [];
  for (const right of PROJECT_RIGHTS) {
    if (!(await may(client, right, first, signal))) missing.push(`${right.verb} ${resourceOf(right)}`);
  }
  const subject = `rights in project ${first}`;
  if (missing.length === 0) return [...results, { ok: true, subject, text: 'may do all that is needed' }];
  return [
    ...results,
    {
      ok: false,
      subject,
      text: `may not: ${missing.join(', ')}. Bind the role admin, or the one in docs/openshift.md.`,
    },
  ];
}

async function checkObservation(client: Client, signal: AbortSignal): Promise<CheckResult> {
  const wide = await may(client, { kind: DEPLOYMENT, verb: 'list' }, undefined, signal);
  const text = wide
    ? 'may list Deployments over all projects: three requests show everything'
    : 'may not list Deployments over all projects: each project is asked by itself. The cluster role coaps-gateway-observer of docs/openshift.md makes it cheaper.';
  return { ok: true, subject: 'observation', text };
}

async function checkImages(client: Client, settings: Settings, signal: AbortSignal): Promise<CheckResult[]> {
  const subject = `builder images in ${settings.imageNamespace}`;
  if (!(await may(client, { kind: IMAGE_STREAM, verb: 'list' }, settings.imageNamespace, signal))) {
    return [{ ok: false, subject, text: `may not list image streams of namespace ${settings.imageNamespace}` }];
  }
  try {
    const offer = (await readCatalogue(client, settings, signal)).offer();
    const list = (nodes: typeof offer.containers) =>
      nodes
        .map((one) => (one.versions.length === 0 ? one.name : `${one.name} (${one.versions.join(', ')})`))
        .join('; ');
    const builders: CheckResult =
      offer.containers.length === 0
        ? { ok: false, subject, text: `none. ${offer.remarks.join(' ')}` }
        : { ok: true, subject, text: [list(offer.containers), ...offer.remarks].join('. ') };
    const text =
      offer.databases.length === 0 ? 'none: environments with databases will be refused' : list(offer.databases);
    return [builders, { ok: true, subject: 'database images', text }];
  } catch (failure) {
    return [{ ok: false, subject, text: words(failure, 'reading image streams', signal) }];
  }
}

async function checkDomain(client: Client, settings: Settings, signal: AbortSignal): Promise<CheckResult> {
  const subject = 'route domain';
  const scheme = settings.tls ? 'https' : 'http';
  if (settings.routeDomain !== undefined)
    return { ok: true, subject, text: `${scheme}://….${settings.routeDomain} (configured)` };
  try {
    const config = await client.read<ApiObject & { spec?: { domain?: string } }>(
      INGRESS_CONFIG,
      undefined,
      'cluster',
      signal,
    );
    if (config?.spec?.domain) return { ok: true, subject, text: `${scheme}://….${config.spec.domain}` };
  } catch (failure) {
    if (!isCode(failure, 403)) return { ok: false, subject, text: words(failure, 'asking for the domain', signal) };
  }
  return {
    ok: true,
    subject,
    text: 'not to be seen by this account: the cluster chooses it when the first route is made',
  };
}

async function may(client: Client, right: Right, namespace: string | undefined, signal: AbortSignal): Promise<boolean> {
  const attributes = {
    group: groupOf(right.kind),
    resource: right.kind.plural,
    verb: right.verb,
    ...(right.subresource === undefined ? {} : { subresource: right.subresource }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const review = {
    apiVersion: ACCESS_REVIEW.apiVersion,
    kind: ACCESS_REVIEW.kind,
    spec: { resourceAttributes: attributes },
  };
  const answer = await client.create<AccessReview>(ACCESS_REVIEW, undefined, review, signal);
  return answer.status?.allowed === true;
}

function resourceOf({ kind, subresource }: { kind: Kind; subresource?: string }): string {
  return subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
}

function words(failure: unknown, doing: string, signal: AbortSignal): string {
  signal.throwIfAborted();
  return toAdapterError(failure, doing).message;
}
