import { type ConpaasApplication, type ConpaasService, SERVICE_TYPES, type ServiceType } from '../../domain/conpaas.js';
import type { User } from '../../domain/model.js';
import type { Answer } from '../http/answer.js';
import { firstAccounts } from '../manager/database.js';
import { ownApplication } from './applications.js';
import { type Director, type Endpoint, FALSE, failure, integer, parameter, TRUE, type UserCall } from './endpoint.js';
import { serviceRow } from './rows.js';

export const SERVICE_ENDPOINTS: readonly Endpoint[] = [
  { methods: ['GET'], path: '/available_services', anywhere: true, who: 'anyone', run: availableServices },
  {
    methods: ['GET'],
    path: '/available_clouds',
    anywhere: true,
    who: 'anyone',
    run: async () => ({ json: [DEFAULT_CLOUD] }),
  },
  {
    methods: ['GET'],
    path: '/version',
    anywhere: true,
    who: 'anyone',
    run: async ({ version }) => ({ text: version }),
  },
  { methods: ['POST'], path: '/start/:type/:cloud?', who: 'user', run: startService },
  { methods: ['POST'], path: '/stop/:sid', who: 'user', run: stop },
  { methods: ['POST'], path: '/rename/:sid', who: 'user', run: rename },
  { methods: ['GET', 'POST'], path: '/list/:aid?', who: 'user', run: list },
];

const DEFAULT_CLOUD = 'default';
/** The default cloud's name in rows and node ids; clients send either. */
const DEFAULT_CLOUD_NAME = 'iaas';

/** Clients of 1.4.2 to 1.5.1 say galera where people say mysql, and find its methods by that name. */
const OTHER_NAMES: Readonly<Record<string, ServiceType>> = { galera: 'mysql' };

async function availableServices(director: Director): Promise<Answer> {
  const offered = SERVICE_TYPES.filter((type) => director.missing(type) === undefined);
  const others = Object.keys(OTHER_NAMES).filter((name) => offered.some((type) => type === OTHER_NAMES[name]));
  return { json: [...offered, ...others] };
}

async function startService(director: Director, call: UserCall): Promise<Answer> {
  const { type = '', cloud = DEFAULT_CLOUD } = call.path;
  const known = SERVICE_TYPES.find((name) => name === (OTHER_NAMES[type] ?? type));
  if (!known) return failure(`Unknown service type: ${type}`);
  const missing = director.missing(known);
  if (missing !== undefined) return failure(`Unknown service type: ${type}. ${missing}`);
  const application = await chosenApplication(director, call);
  if (typeof application === 'string') return failure(application);
  if (cloud !== DEFAULT_CLOUD && cloud !== DEFAULT_CLOUD_NAME) {
    return failure(creationError(`There is no cloud named ${cloud}. Please check your Director configuration.`));
  }
  // The name is ours: a caller that must find its service again after a crash gives it at once.
  const name = parameter(call, 'name');
  const typeName = known === type ? undefined : type;
  const service = await createService(director, call.user, { type: known, application, name, typeName });
  return typeof service === 'string' ? failure(service) : { json: serviceRow(service, director.addresses) };
}

export interface ServiceWish {
  type: ServiceType;
  application: ConpaasApplication;
  name?: string | undefined;
  /** The type's other name, when the client used it. */
  typeName?: string | undefined;
}

/** The service, or the text of the failure; nothing remains of one that failed. */
export async function createService(
  director: Director,
  user: User,
  { type, application, typeName, name = `New ${typeName ? 'MySQL' : type} service` }: ServiceWish,
): Promise<ConpaasService | string> {
  const service = await director.managers.create({
    aid: application.aid,
    uid: user.uid,
    type,
    name,
    cloud: DEFAULT_CLOUD_NAME,
    price: user.uid === director.gatewayUid ? 0 : 1,
    settings: { ...(type === 'mysql' && { accounts: firstAccounts() }), ...(typeName !== undefined && { typeName }) },
  });
  if (service === 'no-credit') return creationError('Could not add nodes. Not enough credits.');
  if (service === 'no-address') return creationError('Every address of conpaas.addresses is in use.');
  return service;
}

/** The application of parameter `appid`, or the user's oldest one; else the text of the failure. */
async function chosenApplication(director: Director, call: UserCall): Promise<ConpaasApplication | string> {
  const appid = parameter(call, 'appid');
  if (appid === undefined) {
    const [oldest] = await director.store.applications(call.user.uid);
    return oldest ?? 'No existing applications';
  }
  const application = /^\d{1,15}$/.test(appid) ? await ownApplication(director, call, Number(appid)) : undefined;
  return application ?? 'Application not found';
}

function creationError(text: string): string {
  return `Error upon service creation: ${text}`;
}

async function stop(director: Director, call: UserCall): Promise<Answer> {
  const service = await ownService(director, call);
  if (!service) return FALSE;
  await stopService(director, service);
  return TRUE;
}

/** A resting service goes at once; one with nodes is shut down by its manager, which then calls terminateService.php. */
export async function stopService({ managers }: Director, service: ConpaasService): Promise<void> {
  const resting = service.state === 'INIT' || service.state === 'STOPPED';
  if (resting) await managers.terminate(service.sid);
  else await managers.delete(service.sid);
}

async function rename(director: Director, call: UserCall): Promise<Answer> {
  const name = parameter(call, 'name');
  const service = await ownService(director, call);
  if (name === undefined || !service) return FALSE;
  await director.store.updateService(service.sid, { name });
  return TRUE;
}

async function list(director: Director, call: UserCall): Promise<Answer> {
  const filter = call.path['aid'] === undefined ? {} : { aid: integer(call, 'aid') };
  const services = await director.store.services({ ...filter, uid: call.user.uid });
  return { json: services.map((service) => serviceRow(service, director.addresses)) };
}

/** The caller's own service of the path's id; another user's is as one that does not exist. */
export async function ownService({ store }: Director, call: UserCall): Promise<ConpaasService | undefined> {
  const service = await store.service(integer(call, 'sid'));
  return service?.uid === call.user.uid ? service : undefined;
}
