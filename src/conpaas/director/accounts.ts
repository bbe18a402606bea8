import { createHash } from 'node:crypto';
import { isFault } from '../../domain/errors.js';
import type { User } from '../../domain/model.js';
import type { Answer } from '../http/answer.js';
import { isUsableCommonName } from '../subject.js';
import { type Call, type Director, type Endpoint, FALSE, failure, parameter, told } from './endpoint.js';
import { conpaasTime } from './rows.js';
import { storedZip } from './stored-zip.js';

export const ACCOUNT_ENDPOINTS: readonly Endpoint[] = [
  { methods: ['POST'], path: '/new_user', who: 'anyone', run: newUser },
  { methods: ['POST'], path: '/login', who: 'anyone', run: login },
  { methods: ['POST', 'GET'], path: '/getcerts', who: 'anyone', run: certificates },
  { methods: ['POST'], path: '/get_user_certs', who: 'anyone', run: certificates },
  { methods: ['GET'], path: '/user_config', who: 'user', run: async (_, { user }) => ({ json: userRow(user) }) },
  { methods: ['GET'], path: '/user_credit', who: 'user', run: async (_, { user }) => ({ json: user.credit }) },
];

const FIRST_APPLICATION = 'New Application';

async function newUser(director: Director, call: Call): Promise<Answer> {
  if (director.registration === 'closed') {
    return failure('Registration is closed on this ConPaaS. Ask its administrator for an account.');
  }
  const missing = ['username', 'email', 'password', 'credit'].find((name) => parameter(call, name) === undefined);
  if (missing) return failure(`${missing} is a required field`);
  await director.users.admit(call.address);
  const text = (name: string) => parameter(call, name) ?? '';
  const name = text('username');
  const email = text('email');
  if (!isUsableCommonName(name)) return failure(`Username "${name}" cannot be used`);
  if (await director.users.get(name)) return failure(`Username "${name}" already taken`);
  if (await director.users.byEmail(email)) return failure(`E-mail "${email}" already registered`);
  const credit = creditOf(text('credit'), director.maxCredit);
  if (typeof credit === 'string') return failure(credit);
  try {
    const user = await director.users.create({
      name,
      password: text('password'),
      email,
      firstName: text('fname'),
      lastName: text('lname'),
      affiliation: text('affiliation'),
      uuid: text('uuid') === '<none>' ? '' : text('uuid'),
      openid: text('openid'),
      credit,
    });
    await director.store.createApplication(user.uid, FIRST_APPLICATION);
    return { json: userRow(user, text('password')) };
  } catch (error) {
    if (isFault(error) && error.code === 'Conflict') return failure(`Username "${name}" already taken`);
    return told(error);
  }
}

function creditOf(text: string, maximum: number): number | string {
  if (!/^[+-]?\d+$/.test(text)) return `Required credit "${text}" is not a valid integer.`;
  const credit = Number(text);
  if (credit < 0) return `Required credit "${text}" cannot be a negative integer.`;
  if (credit > maximum) return `Cannot allocate ${text} credit for a new user (max credit ${maximum}).`;
  return credit;
}

async function login(director: Director, call: Call): Promise<Answer> {
  const user = await authenticate(director, call);
  return user ? { json: userRow(user, parameter(call, 'password')) } : FALSE;
}

/** A new key each time; earlier certificates stay valid. */
async function certificates(director: Director, call: Call): Promise<Answer> {
  const user = await authenticate(director, call);
  if (!user) return FALSE;
  const { certificate, key } = await director.certification.forUser(user);
  const entries = { 'cert.pem': certificate, 'key.pem': key, 'ca_cert.pem': director.certification.authority };
  return { bytes: await storedZip(entries), type: 'application/zip', name: 'certs.zip' };
}

async function authenticate(director: Director, call: Call): Promise<User | undefined> {
  const name = parameter(call, 'username');
  const password = parameter(call, 'password');
  if (name === undefined || password === undefined) return;
  return await director.users.byPassword(name, password, call.address);
}

/** With the password of this very request in the form that old clients know; it is neither stored nor logged. */
function userRow(user: User, password?: string) {
  return {
    uid: user.uid,
    username: user.name,
    fname: user.firstName ?? '',
    lname: user.lastName ?? '',
    email: user.email ?? '',
    affiliation: user.affiliation ?? '',
    ...(password === undefined ? {} : { password: createHash('md5').update(password).digest('hex') }),
    credit: user.credit,
    created: conpaasTime(user.createdAt),
    uuid: user.uuid ?? '',
  };
}
