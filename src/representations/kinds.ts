import type { Listing, ResponseKind, ResponseValues } from '../domain/views.js';
import { applicationRows, applicationThing } from './application.js';
import { artefactRows } from './artefact.js';
import { auditEventRows } from './audit-event.js';
import { environmentRows, environmentThing } from './environment.js';
import { informationThing } from './information.js';
import { instanceRows, instanceThing } from './instance.js';
import { operationResponseThing } from './message.js';
import { serviceThing } from './service.js';
import { taskRows, taskThing } from './task.js';
import type { Rows, Thing } from './thing.js';
import { keyRows, keyThing, userRows, userThing } from './user.js';
import { versionRows, versionThing } from './version.js';

/** Every response that is a document of one thing. */
export const THINGS = {
  application: applicationThing,
  version: versionThing,
  instance: instanceThing,
  environment: environmentThing,
  information: informationThing,
  task: taskThing,
  user: userThing,
  key: keyThing,
  operationResponse: operationResponseThing,
  service: serviceThing,
} as const satisfies { [K in ResponseKind]?: Thing<ResponseValues[K]> };

/** Every response that is a list. */
export const LISTS = {
  applications: applicationRows,
  versions: versionRows,
  instances: instanceRows,
  environments: environmentRows,
  artefacts: artefactRows,
  tasks: taskRows,
  users: userRows,
  keys: keyRows,
  auditEvents: auditEventRows,
} as const satisfies {
  [K in ResponseKind]?: ResponseValues[K] extends Listing<infer T> ? Rows<T> : never;
};

export type ThingKind = keyof typeof THINGS;
export type ListKind = keyof typeof LISTS;

export function isThingKind(kind: ResponseKind): kind is ThingKind {
  return Object.hasOwn(THINGS, kind);
}

export function isListKind(kind: ResponseKind): kind is ListKind {
  return Object.hasOwn(LISTS, kind);
}
