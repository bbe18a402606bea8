import { at, equal, isJson, type Json, type Obj } from './objects.js';
import { type Cause, required, unsupported, wrong } from './refusals.js';

/** What the server refuses with 422, by kind. */
export const RULES: Readonly<Record<string, (object: Obj, before?: Obj) => Cause[]>> = {
  Deployment: deployment,
  Service: service,
  Route: route,
  BuildConfig: buildConfig,
  PersistentVolumeClaim: claim,
  Pod: ({ spec }) =>
    ((spec?.['containers'] as unknown[]) ?? []).length === 0
      ? [required('spec.containers')]
      : containers(spec ?? {}, 'spec'),
  ConfigMap: ({ data = {} }) =>
    Object.values(data).join('').length > 1024 * 1024
      ? [{ reason: 'FieldValueTooLong', message: 'Too long: may not be more than 1048576 bytes', field: '[]' }]
      : [],
};

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const LABEL_TEXT = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`;
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const SUBDOMAIN_TEXT = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;
const OLD_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const OLD_LABEL_TEXT = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${OLD_LABEL}')`;
const NAME_PART = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const NAME_PART_TEXT = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME_PART}')`;

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);

export function dnsLabel(field: string, value: string): Cause[] {
  const causes: Cause[] = [];
  if (value.length > 63) causes.push(wrong(field, value, 'must be no more than 63 characters'));
  if (!whole(LABEL).test(value)) causes.push(wrong(field, value, LABEL_TEXT));
  return causes;
}

/** Of metadata: the same for every kind, but for what a name may be. */
export function metadataRules(kind: string, { metadata }: Obj): Cause[] {
  const causes: Cause[] = [];
  const { name } = metadata;
  if (!name) causes.push(required('metadata.name', 'name or generateName is required'));
  else if (kind.startsWith('Image')) {
    if (name.includes('/')) causes.push(wrong('metadata.name', name, "may not contain '/'"));
  } else if (kind === 'Service') {
    if (!whole(OLD_LABEL).test(name)) causes.push(wrong('metadata.name', name, OLD_LABEL_TEXT));
  } else if (!whole(SUBDOMAIN).test(name)) causes.push(wrong('metadata.name', name, SUBDOMAIN_TEXT));
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    const part = key.split('/').at(-1) ?? '';
    if (!whole(NAME_PART).test(part)) causes.push(wrong('metadata.labels', key, NAME_PART_TEXT));
    if (value.length > 63) causes.push(wrong('metadata.labels', value, 'must be no more than 63 characters'));
  }
  return causes;
}

function deployment({ spec = {} }: Obj, before?: Obj): Cause[] {
  const causes: Cause[] = [];
  const replicas = spec['replicas'] as number;
  if (replicas < 0) causes.push(wrong('spec.replicas', replicas, 'must be greater than or equal to 0'));
  const wanted = (at(spec, 'selector', 'matchLabels') ?? {}) as Record<string, string>;
  const labels = (at(spec, 'template', 'metadata', 'labels') ?? {}) as Record<string, string>;
  if (Object.entries(wanted).some(([key, value]) => labels[key] !== value)) {
    causes.push(
      wrong('spec.template.metadata.labels', goMap(labels), '`selector` does not match template `labels`', true),
    );
  }
  causes.push(...containers((at(spec, 'template', 'spec') ?? {}) as Json, 'spec.template.spec'));
  if (before && !equal(before.spec?.['selector'], spec['selector'])) {
    const value = `v1.LabelSelector{MatchLabels:${goMap(wanted)}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}`;
    causes.push(wrong('spec.selector', value, 'field is immutable', true));
  }
  return causes;
}

const goMap = (map: Record<string, string>): string =>
  `map[string]string{${Object.entries(map)
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join(', ')}}`;

function containers(spec: Json, path: string): Cause[] {
  const list = (spec['containers'] as Json[] | undefined) ?? [];
  if (list.length === 0) return [required(`${path}.containers`)];
  return list.flatMap((container, index) => {
    const place = `${path}.containers[${index}]`;
    const causes: Cause[] = dnsLabel(`${place}.name`, String(container['name'] ?? ''));
    if (!container['image']) causes.push(required(`${place}.image`));
    ((container['ports'] as Json[] | undefined) ?? []).forEach((port, number) => {
      const value = port['containerPort'] as number;
      if (value < 1 || value > 65535)
        causes.push(wrong(`${place}.ports[${number}].containerPort`, value, 'must be between 1 and 65535, inclusive'));
    });
    return causes;
  });
}

function claim({ spec = {} }: Obj, before?: Obj): Cause[] {
  const fixed = (of: Json = {}): Json => ({ accessModes: of['accessModes'], storageClassName: of['storageClassName'] });
  const size = (of: Json = {}): unknown => at(of, 'resources', 'requests', 'storage');
  if (!before || (equal(fixed(before.spec), fixed(spec)) && equal(size(before.spec), size(spec)))) return [];
  const text =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  return [{ reason: 'FieldValueForbidden', message: `Forbidden: ${text}`, field: 'spec' }];
}

function service({ spec = {} }: Obj): Cause[] {
  return ((spec['ports'] as unknown[] | undefined) ?? []).length === 0 ? [required('spec.ports')] : [];
}

const STRATEGIES = ['dockerStrategy', 'sourceStrategy', 'customStrategy', 'jenkinsPipelineStrategy'];
const NO_STRATEGY =
  'build.BuildStrategy{DockerStrategy:(*build.DockerBuildStrategy)(nil), SourceStrategy:(*build.SourceBuildStrategy)(nil), CustomStrategy:(*build.CustomBuildStrategy)(nil), JenkinsPipelineStrategy:(*build.JenkinsPipelineBuildStrategy)(nil)}';

function buildConfig({ spec = {} }: Obj): Cause[] {
  const strategy = isJson(spec['strategy']) ? spec['strategy'] : {};
  if (STRATEGIES.filter((name) => strategy[name] !== undefined).length === 1) return [];
  const text =
    'must provide a value for exactly one of sourceStrategy, customStrategy, dockerStrategy, or jenkinsPipelineStrategy';
  return [wrong('spec.strategy', NO_STRATEGY, text, true)];
}

function route({ spec = {} }: Obj, before?: Obj): Cause[] {
  const causes: Cause[] = [];
  const host = spec['host'] as string | undefined;
  const old = before?.spec?.['host'] as string | undefined;
  if (old !== undefined && host !== undefined && old !== host) {
    return [wrong('spec.host', host, 'you do not have permission to set the host field of the route')];
  }
  const kind = at(spec, 'to', 'kind') as string | undefined;
  if (kind !== 'Service') causes.push(wrong('spec.to.kind', kind ?? '', 'must reference a Service'));
  if (host !== undefined) {
    const first = host.split('.')[0] ?? '';
    if (first.length > 63) causes.push(wrong('spec.host', host, 'must be no more than 63 characters'));
    if (!whole(SUBDOMAIN).test(host))
      causes.push(
        wrong('spec.host', host, 'host must conform to DNS 952 subdomain conventions'),
        wrong('spec.host', host, LABEL_TEXT),
      );
  }
  const termination = at(spec, 'tls', 'termination') as string | undefined;
  const path = spec['path'] as string | undefined;
  if (path !== undefined && !path.startsWith('/')) causes.push(wrong('spec.path', path, 'path must begin with /'));
  if (path !== undefined && termination === 'passthrough')
    causes.push(wrong('spec.path', path, 'passthrough termination does not support paths'));
  const known = ['edge', 'passthrough', 'reencrypt'];
  if (termination !== undefined && !known.includes(termination)) {
    causes.push(unsupported('spec.tls.termination', JSON.stringify(termination), known));
  }
  return causes;
}
