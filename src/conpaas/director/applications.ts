import type { ConpaasApplication } from '../../domain/conpaas.js';
import type { Answer } from '../http/answer.js';
import { type Director, type Endpoint, FALSE, failure, integer, parameter, TRUE, type UserCall } from './endpoint.js';
import { stopService } from './services.js';

export const APPLICATION_ENDPOINTS: readonly Endpoint[] = [
  { methods: ['POST'], path: '/createapp', who: 'user', run: createApplication },
  { methods: ['POST'], path: '/renameapp/:aid', who: 'user', run: renameApplication },
  { methods: ['POST'], path: '/delete/:aid', who: 'user', run: deleteApplication },
  { methods: ['GET', 'POST'], path: '/listapp', who: 'user', run: listApplications },
];

async function createApplication({ store }: Director, call: UserCall): Promise<Answer> {
  const name = parameter(call, 'name');
  if (name === undefined) return FALSE;
  const made = await store.createApplication(call.user.uid, name);
  return made ? { json: { aid: made.aid, name } } : nameTaken(name);
}

async function renameApplication(director: Director, call: UserCall): Promise<Answer> {
  const name = parameter(call, 'name');
  const application = await ownApplication(director, call);
  if (name === undefined || !application) return FALSE;
  return (await director.store.renameApplication(application.aid, name)) ? TRUE : nameTaken(name);
}

/**
 * Its services end first, each by its own manager; the application's row goes with the last of them, so that a crash in between
 * leaves nothing that could not be deleted again.
 */
async function deleteApplication(director: Director, call: UserCall): Promise<Answer> {
  const application = await ownApplication(director, call);
  if (!application) return FALSE;
  const services = await director.store.services({ aid: application.aid });
  for (const service of services) await stopService(director, service);
  await director.managers.ended(services.map(({ sid }) => sid));
  return (await director.store.deleteApplication(application.aid)) ? TRUE : FALSE;
}

async function listApplications({ store }: Director, { user }: UserCall): Promise<Answer> {
  const applications = await store.applications(user.uid);
  return { json: applications.map(({ aid, name }) => ({ aid, name })) };
}

/** The caller's own application of the path's or the given id; another user's is as one that does not exist. */
export async function ownApplication(
  { store }: Director,
  call: UserCall,
  aid = integer(call, 'aid'),
): Promise<ConpaasApplication | undefined> {
  const application = await store.application(aid);
  return application?.uid === call.user.uid ? application : undefined;
}

function nameTaken(name: string): Answer {
  return failure(`Application name "${name}" already taken`);
}
