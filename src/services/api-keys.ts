import { randomBytes, randomInt } from 'node:crypto';
import { Fault } from '../domain/errors.js';
import type { ApiKey } from '../domain/model.js';
import type { Store } from '../store/store.js';
import { seal, unseal } from './sealing.js';
import { particular } from './user-rules.js';

/** Signing with a user name tries all of that user's keys. */
const MOST_KEYS = 100;
/** No character that people mistake for another. */
const ID_CHARACTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

export interface ApiKeys {
  /** The only answer that holds the secret. Throws Fault `NotFound` for an unknown user, `Conflict` when there are too many keys. */
  create(user: string, label?: string): Promise<ApiKey>;
  /** Oldest first, without secrets. */
  list(user: string): Promise<ApiKey[]>;
  /** Throws Fault `NotFound` when the user has no such key. */
  revoke(user: string, keyId: string): Promise<void>;
  /** The key with this id and every key of the user of this name, with their secrets. */
  candidates(accessKeyId: string): Promise<{ user: string; secret: string }[]>;
}

export interface ApiKeyParts {
  store: Pick<Store, 'users'>;
  /** 32 bytes. */
  secretKey: Buffer;
  log: { warn(fields: object, message: string): void };
}

type StoredKey = Awaited<ReturnType<Store['users']['keys']>>[number];

export function createApiKeys({ store, secretKey, log }: ApiKeyParts): ApiKeys {
  const opened = (key: StoredKey): { user: string; secret: string }[] => {
    try {
      return [{ user: key.user, secret: unseal(secretKey, key.sealed, contextOf(key)) }];
    } catch {
      log.warn({ keyId: key.keyId, user: key.user }, 'An API key was sealed with another secretKey and cannot be used');
      return [];
    }
  };
  return {
    create: async (user, label) => {
      if ((await store.users.keys(user)).length >= MOST_KEYS) {
        throw new Fault('Conflict', `A user has at most ${MOST_KEYS} API keys; revoke one that is not used any more.`);
      }
      const key = {
        keyId: `AK${Array.from({ length: 18 }, () => ID_CHARACTERS.charAt(randomInt(ID_CHARACTERS.length))).join('')}`,
        user,
        ...(label !== undefined && label !== '' && { label: particular('A label', label) }),
        createdAt: new Date().toISOString(),
      };
      const secret = randomBytes(32).toString('base64url');
      await store.users.addKey({ ...key, sealed: seal(secretKey, secret, contextOf(key)) });
      return { ...key, secret };
    },
    list: async (user) => (await store.users.keys(user)).map(({ sealed: _, ...key }) => key),
    revoke: async (user, keyId) => {
      if (await store.users.deleteKey(user, keyId)) return;
      throw new Fault('NotFound', `The user ${JSON.stringify(user)} has no API key ${JSON.stringify(keyId)}.`);
    },
    candidates: async (accessKeyId) => {
      if (accessKeyId.includes('\0')) return [];
      const byId = await store.users.key(accessKeyId);
      return [...(byId ? [byId] : []), ...(await store.users.keys(accessKeyId))].flatMap(opened);
    },
  };
}

function contextOf({ keyId, user }: Pick<ApiKey, 'keyId' | 'user'>): string {
  return `api-key ${keyId} ${user}`;
}
