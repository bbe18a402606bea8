import * as z from 'zod';
import { ARTEFACTS } from './artefacts.js';
import { LIMITS, RETENTION } from './limits.js';
import { note, notesOf, type SettingNotes } from './note.js';
import { loopbackRange, port, range, seconds, size, text, webAddress, whole } from './values.js';

const name = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;
const nameComplaint = 'a platform name has 1 to 32 letters, digits and dashes and starts with a letter';

/** `adapter` and `aliases` are the gateway's; everything else is an option of the adapter, see `platforms.ts`. */
const platform = z.looseObject(
  {
    adapter: text(),
    aliases: z.array(z.string().regex(name, nameComplaint)).default([]),
  },
  'expected the adapter and its options, such as {adapter: conpaas, embedded: true}',
);

export const SCHEMA = z.strictObject({
  listen: z
    .strictObject({
      host: note(text().default('127.0.0.1'), { variable: 'COAPS_HOST', help: 'Address on which the API listens.' }),
      port: note(port().default(8080), {
        variable: 'COAPS_PORT',
        help: 'Its port; 0 takes a free one, which is printed.',
      }),
      tls: z
        .strictObject({
          cert: note(text().optional(), {
            variable: 'COAPS_TLS_CERT',
            otherwise: 'none (http)',
            help: 'PEM file with the certificate chain; read again when it changes.',
          }),
          key: note(text().optional(), { variable: 'COAPS_TLS_KEY', help: 'PEM file with its key.' }),
        })
        .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'cert and key belong together')
        .prefault({}),
    })
    .prefault({}),
  publicUrl: note(webAddress().optional(), {
    variable: 'COAPS_PUBLIC_URL',
    otherwise: "from the request's Host",
    help: 'Base of every link in an answer, for example behind a proxy.',
  }),
  data: note(text().default('./data'), {
    variable: 'COAPS_DATA',
    help: 'Directory of the store, artefacts, certificates and the logs of embedded applications. One gateway holds it.',
  }),
  database: note(
    text()
      .regex(/^(sqlite:.+|postgres(ql)?:\/\/.+)$/, 'expected postgres://user:password@host/database, or sqlite:FILE')
      .optional(),
    { variable: 'COAPS_DATABASE_URL', otherwise: 'SQLite in data', help: '`postgres://…`.', secret: true },
  ),
  artefacts: ARTEFACTS,
  patience: note(seconds(0).default(600), {
    variable: 'COAPS_PATIENCE',
    help: 'Seconds that an action waits for its task before it answers 202.',
  }),
  observe: z
    .strictObject({ interval: note(seconds(0.1).default(10), { help: 'Seconds between two looks at each platform.' }) })
    .prefault({}),
  secretKey: note(z.string('expected text').min(16, 'needs at least 16 characters').optional(), {
    variable: 'COAPS_SECRET_KEY',
    otherwise: 'a generated file in data',
    help: 'Seals the API keys in the store.',
    secret: true,
  }),
  admin: z
    .strictObject({
      password: note(z.string('expected text').min(8, 'needs at least 8 characters').optional(), {
        variable: 'COAPS_ADMIN_PASSWORD',
        otherwise: 'generated, shown once',
        help: 'Password of the user `admin`, at the first start only.',
        secret: true,
      }),
    })
    .prefault({}),
  auth: z
    .strictObject({
      anonymous: note(text().optional(), {
        variable: 'COAPS_ANONYMOUS_USER',
        otherwise: 'none',
        help: 'User as whom requests without credentials act.',
      }),
    })
    .prefault({}),
  commonParameters: note(z.enum(['optional', 'required'], 'expected optional or required').default('optional'), {
    variable: 'COAPS_COMMON_PARAMETERS',
    help: 'Whether each request must carry `Action` and `Version` (specification §3).',
  }),
  platforms: note(
    z
      .record(z.string().regex(name, nameComplaint), platform, 'expected platforms by name')
      .refine((all) => Object.keys(all).length > 0, 'needs at least one platform')
      .default({ CP: { adapter: 'conpaas', aliases: [], embedded: true } }),
    {
      otherwise: '`CP: {adapter: conpaas, embedded: true}`',
      help: 'By name, which gives the base `/NAME-api/rest`: `adapter`, `aliases` (more names) and the options of the adapter, each also as `COAPS_PLATFORM_<NAME>_<OPTION>`.',
    },
  ),
  defaultPlatform: note(text().optional(), {
    variable: 'COAPS_DEFAULT_PLATFORM',
    otherwise: 'the first',
    help: 'Platform of environments that are created under `/rest` without `provider`.',
  }),
  conpaas: z
    .strictObject({
      listen: z
        .strictObject({
          host: note(text().default('127.0.0.1'), { variable: 'COAPS_CONPAAS_HOST', help: 'Address of the Director.' }),
          port: note(port().default(5555), {
            variable: 'COAPS_CONPAAS_PORT',
            help: 'Its port; 0 takes a free one, which is printed.',
          }),
        })
        .prefault({}),
      managerPort: note(whole(1, 65_535).optional(), {
        variable: 'COAPS_CONPAAS_MANAGER_PORT',
        otherwise: '443 where it can be bound, else 8443',
        help: 'Port of the managers, each on the loopback address of its service.',
      }),
      appPort: note(whole(1, 65_535).optional(), {
        variable: 'COAPS_CONPAAS_APP_PORT',
        otherwise: '80 where it can be bound, else 8000',
        help: 'Port of the applications, each on the loopback address of its service.',
      }),
      databasePort: note(whole(1, 65_535).optional(), {
        variable: 'COAPS_CONPAAS_DATABASE_PORT',
        otherwise: '3306 where it can be bound, else 13306',
        help: 'Port of the database servers, each on the loopback address of its service.',
      }),
      addresses: note(loopbackRange().optional(), {
        otherwise: '127.77.0.0/16; on macOS 127.0.0.1',
        variable: 'COAPS_CONPAAS_ADDRESSES',
        help: 'Range of the addresses of managers and agents.',
      }),
      apps: z
        .strictObject({
          host: note(text().optional(), {
            otherwise: "the service's loopback address",
            help: 'For containers and remote users: all applications listen on this address, each with a port of its own.',
          }),
          ports: note(range(1, 65_535).optional(), {
            otherwise: '20000-20999 with `host`',
            help: 'Range of these ports.',
          }),
          publicHost: note(text().optional(), {
            otherwise: 'the host',
            help: 'Host name that the URLs of applications show.',
          }),
        })
        .refine(
          ({ host, ports, publicHost }) => host !== undefined || (ports === undefined && publicHost === undefined),
          'ports and publicHost need host',
        )
        .prefault({}),
      uids: note(range(1, 4_294_967_293).optional(), {
        otherwise: '200000-265535 when root',
        help: 'Unix ids for uploaded code, one for each ConPaaS service.',
      }),
      registration: note(z.enum(['open', 'closed'], 'expected open or closed').optional(), {
        otherwise: 'open when applications are isolated by Unix ids',
        help: 'Whether anybody may register with the Director.',
      }),
      maxCredit: note(whole(0, 1_000_000).default(50), { help: 'Most credits with which a user may register.' }),
    })
    .prefault({}),
  cache: z
    .strictObject({
      size: note(size(0).default(64 * 1024 ** 2), {
        variable: 'COAPS_CACHE_SIZE',
        otherwise: '64 MiB',
        help: 'Memory for answers that are kept until what they show changes; 0 keeps none.',
      }),
    })
    .prefault({}),
  management: z
    .strictObject({
      host: note(text().default('127.0.0.1'), {
        variable: 'COAPS_MANAGEMENT_HOST',
        help: 'Address of health and metrics.',
      }),
      port: note(port().optional(), { variable: 'COAPS_MANAGEMENT_PORT', otherwise: 'off', help: 'Their port.' }),
    })
    .prefault({}),
  limits: LIMITS,
  retention: RETENTION,
  log: z
    .strictObject({
      level: note(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'), {
        variable: 'COAPS_LOG_LEVEL',
        help: 'trace, debug, info, warn, error or silent. JSON lines on stderr, readable ones on a terminal.',
      }),
    })
    .prefault({}),
});

export type Settings = z.infer<typeof SCHEMA>;

export interface Setting extends SettingNotes {
  /** Path in the file, e.g. `listen.port`. */
  path: string;
  /** The default for people. */
  otherwise: string;
}

/** All settings, in the order of the file. */
export const SETTINGS: readonly Setting[] = [...list(SCHEMA, [])];

function* list(schema: z.ZodType, path: string[]): Iterable<Setting> {
  const about = notesOf(schema);
  if (about) {
    const value = schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : '';
    yield { ...about, path: path.join('.'), otherwise: about.otherwise ?? value };
    return;
  }
  const object = schema instanceof z.ZodPrefault ? schema.def.innerType : schema;
  if (!(object instanceof z.ZodObject)) throw new Error(`The setting ${path.join('.')} has no notes`);
  for (const [key, inner] of Object.entries(object.shape)) yield* list(inner as z.ZodType, [...path, key]);
}
