import {
  appIn,
  appNamed,
  appOf,
  behave,
  bound,
  doomed,
  failedBuild,
  labelled,
  limit,
  mapped,
  plans,
  QUIRK,
  quiet,
  ROLL,
  size,
  started,
  stopped,
  suspend,
  takenHost,
  WEB,
} from './arrange.js';
import type { Scene } from './replay.js';
import { PASSWORDS } from './seed.js';

export type Scenes = Record<number, Scene>;

const basic = (text: string) => () => `Basic ${Buffer.from(text).toString('base64')}`;
const user = (password: string) => () => ({ grant_type: 'password', username: 'dev', password });
const as = (who: string, ...indexes: number[]): Scenes =>
  Object.fromEntries(indexes.map((index) => [index, { as: who }]));

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export const SCENES: Record<string, Scenes> = {
  'root-info-token': {
    6: { authorization: basic('cf:'), form: user(PASSWORDS.dev) },
    7: {
      authorization: basic('cf:'),
      form: ({ uaa }) => ({ grant_type: 'refresh_token', refresh_token: uaa.refreshTokenOf('dev') }),
    },
    8: { authorization: basic('cf:'), form: user('wrong') },
    9: { authorization: basic('cf:') },
    10: { authorization: basic(`robot:${PASSWORDS.client}`) },
    11: { authorization: basic('robot:wrong') },
    14: { authorization: () => 'bearer expired' },
    15: { authorization: () => 'bearer expired' },
    16: { authorization: () => 'bearer of-another-audience' },
    17: { as: 'scopeless' },
    18: { as: 'reader' },
    20: { as: 'stranger' },
  },
  lookups: as('admin', 26),
  errors: {
    ...as('auditor', ...span(30, 35)),
    ...as('stranger', ...span(37, 43)),
    44: { before: ({ world }) => suspend(world, true) },
    47: {
      before: ({ world }) => {
        suspend(world, false);
        world.flags.set('app_bits_upload', { enabled: false, text: 'uploads are closed for maintenance' });
        world.flags.set('app_scaling', { enabled: false });
        world.flags.set('route_creation', { enabled: false });
      },
    },
    50: {
      before: ({ world }) => {
        for (const flag of ['app_bits_upload', 'app_scaling', 'route_creation'])
          world.flags.set(flag, { enabled: true });
      },
    },
  },
  instances: {
    0: { before: (fake, known) => size(fake, appOf(fake, known, WEB), 2) },
    5: { before: ({ world }) => behave(world, 'crash') },
    17: { before: ({ world }) => behave(world) },
    20: { before: (fake, known) => stopped(fake, known, 'deaf') },
    23: { before: (fake, known) => stopped(fake, known, 'no room') },
    26: { before: (fake, known) => stopped(fake, known) },
    30: { before: (fake, known) => started(appOf(fake, known, WEB)) },
    38: {
      before: ({ world }) => {
        world.cells.statsDown = true;
      },
    },
    39: {
      before: ({ world }) => {
        world.cells.schedulerDown = true;
      },
    },
    45: {
      before: ({ world }) => {
        delete world.cells.statsDown;
        delete world.cells.schedulerDown;
      },
    },
  },
  'start-after-new-package': {
    4: { before: (fake, known) => quiet(fake, appOf(fake, known, QUIRK)) },
    13: { before: (fake, known) => quiet(fake, appOf(fake, known, QUIRK)) },
    14: { before: (fake, known) => failedBuild(fake, appOf(fake, known, QUIRK)) },
    18: { before: (fake, known) => quiet(fake, appOf(fake, known, QUIRK)) },
  },
  routes: {
    0: { before: (fake) => takenHost(fake) },
    26: { before: (fake, known) => known.know('5a344e40-5e25-421d-8ad8-02fa19388c7d', appIn(fake, 'prod').guid) },
    39: { before: (fake, known) => mapped(fake, known, '7288f12f-53eb-4657-8504-41356923d753') },
    ...as('stranger', 43),
  },
  'rate-limit': {
    0: { before: ({ world }) => limit(world, 2) },
    5: { before: ({ world }) => limit(world, 3) },
    ...as('auditor', 13),
  },
  'service-user-provided': {
    0: {
      before: ({ world }) => {
        delete world.options.rateLimit;
      },
    },
  },
  'service-managed': {
    ...as('admin', 5),
    0: { before: ({ world }) => plans(world, false) },
    7: { before: ({ world }) => plans(world, true) },
    73: {
      before: ({ world }) => {
        world.unbindFails = 'unbind is broken';
      },
    },
    77: {
      before: ({ world }) => {
        delete world.unbindFails;
      },
    },
    82: {
      before: ({ world }) => {
        world.brokerGone = true;
      },
    },
    86: {
      before: ({ world }) => {
        world.brokerGone = false;
      },
    },
  },
  deployments: {
    0: { before: (fake, known) => known.know(ROLL, appIn(fake, 'dev').guid) },
    1: { before: (fake, known) => size(fake, appOf(fake, known, ROLL), 3) },
    7: { skip: 'the recorded server had lost the file of this droplet and says so in its error' },
    38: { before: ({ world }) => behave(world, 'crash') },
    42: { before: ({ world }) => behave(world) },
    64: { before: (fake, known) => size(fake, appOf(fake, known, ROLL), 1) },
  },
  delete: {
    0: { before: (fake, known) => doomed(fake, known) },
    18: {
      before: (fake, known) => {
        fake.world.unbindFails = 'unbind is broken';
        bound(fake, appNamed(fake, known, 'a5137705-70d8-42e2-aa3d-1a4a019c3261', 'sticky'));
      },
    },
    22: {
      before: ({ world }) => {
        delete world.unbindFails;
      },
    },
    ...as('stranger', 29),
  },
  labels: { 1: { before: (fake, known, recording) => labelled(fake, known, recording) } },
  'cf-cli-push': {
    5: { authorization: basic('cf:'), form: user(PASSWORDS.dev) },
    237: { skip: 'what the audit log tells beside crashes is no part of the fake' },
  },
  'upload-trouble': {
    6: { skip: 'two uploads at the same time: a test of its own shows them' },
  },
};
