import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const FORM = 'v1';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM. `context` names the place of the secret: sealed text that is moved to another place does not open. */
export function seal(key: Buffer, secret: string, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return `${FORM}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')}`;
}

/** Throws when the key is another one, or the text was changed or moved. */
export function unseal(key: Buffer, sealed: string, context: string): string {
  const [form, text = ''] = sealed.split('.');
  const bytes = Buffer.from(text, 'base64');
  if (form !== FORM || bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('Not a sealed secret');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
}

/**
 * The 32 bytes with which secrets in the store are sealed: of the configured text (64 hexadecimal digits are taken as they are), or
 * without one of `file`, which is made at the first start, readable by its owner alone.
 */
export function sealingKey(configured: string | undefined, file: string): Buffer {
  if (configured === undefined) return keyIn(file);
  if (/^[0-9a-f]{64}$/i.test(configured)) return Buffer.from(configured, 'hex');
  return scryptSync(configured, 'coaps-gateway sealing key', KEY_BYTES);
}

function keyIn(file: string): Buffer {
  const present = read(file);
  if (present) return present;
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    // A link never replaces: of two processes that start together both take the first one's key.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return keyIn(file);
}

function read(file: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  throw new Error(
    `${file} holds no key (64 hexadecimal digits). Restore it from a backup; or remove it, then all API keys have to be made anew.`,
  );
}
