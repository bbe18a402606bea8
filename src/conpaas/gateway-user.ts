import { randomBytes } from 'node:crypto';
import type { ConpaasUsers } from '../domain/conpaas.js';
import type { User } from '../domain/model.js';

const NAME = 'coaps-gateway';

/**
 * The ConPaaS user as whom the gateway deploys. Nobody knows its password: it acts by its certificate alone. It is made at the first
 * start, before anybody could register under its name.
 */
export async function gatewayUser(users: ConpaasUsers): Promise<User> {
  const known = await users.get(NAME);
  if (known) return known;
  try {
    return await users.create({
      name: NAME,
      password: randomBytes(32).toString('base64url'),
      email: `${NAME}@localhost`,
      credit: 0,
    });
  } catch (error) {
    // Another gateway on the same database was faster.
    const made = await users.get(NAME);
    if (made) return made;
    throw error;
  }
}
