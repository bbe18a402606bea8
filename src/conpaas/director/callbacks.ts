import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Answer } from '../http/answer.js';
import { type Director, type Endpoint, FALSE, failure, type ManagerCall, parameter, told } from './endpoint.js';

/** What managers ask of the Director. */
export const CALLBACK_ENDPOINTS: readonly Endpoint[] = [
  { methods: ['POST'], path: '/callback/decrementUserCredit.php', who: 'manager', run: decrementCredit },
  { methods: ['POST'], path: '/callback/terminateService.php', who: 'manager', run: terminateService },
  { methods: ['POST'], path: '/ca/get_cert.php', who: 'manager', run: signRequest },
];

const OK: Answer = { json: { error: false } };
const REFUSED: Answer = { json: { error: true } };

/**
 * `sid`, `decrement` (1 when absent). Ours: `key` names what is paid, so that a manager that does not know whether its call arrived
 * may repeat it without paying twice.
 */
async function decrementCredit(director: Director, call: ManagerCall): Promise<Answer> {
  const { service } = call;
  if (parameter(call, 'sid') !== String(service.sid)) return FALSE;
  const decrement = parameter(call, 'decrement') ?? '1';
  if (!/^[1-9]\d{0,8}$/.test(decrement)) return REFUSED;
  if (service.uid === director.gatewayUid) return OK;
  const key = `${service.sid}:${parameter(call, 'key') ?? randomUUID()}`;
  const { uid, sid } = service;
  return (await director.store.charge({ key, uid, sid, amount: Number(decrement) })) ? OK : REFUSED;
}

/** Whoever calls a second time has no service any more, which the router answers with `false`. */
async function terminateService(director: Director, { service }: ManagerCall): Promise<Answer> {
  await director.managers.forget(service.sid);
  return OK;
}

async function signRequest(director: Director, { service, files }: ManagerCall): Promise<Answer> {
  const file = files.find(({ field }) => field === 'csr');
  if (!file) return failure('csr is a required file');
  try {
    const { certificate } = await director.certification.signAgentRequest(await readFile(file.path, 'utf8'), service);
    return { text: certificate, type: 'text/html; charset=utf-8' };
  } catch (error) {
    return told(error);
  }
}
