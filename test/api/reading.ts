import { isFault } from '../../src/domain/errors.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { readBody } from '../../src/representations/bodies.js';

export const read = (text: string | Buffer): Manifest => readBody('manifest', 'xml', Buffer.from(text));
export const readJson = (value: unknown): Manifest => readBody('manifest', 'json', Buffer.from(JSON.stringify(value)));
/** Around the parts of a manifest. */
export const around = (parts: string) => `<paas_application_manifest name="M">${parts}</paas_application_manifest>`;

/** The fault that some work ends with; it must end with one. */
export function faultOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (isFault(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('It was read');
}
