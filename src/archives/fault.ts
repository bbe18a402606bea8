import { Fault } from '../domain/errors.js';

/**
 * Why an archive is refused.
 * - `format`: it is no archive, or a damaged, encrypted or unsupported one;
 * - `absolute`: a member has an absolute name or `..` in its path;
 * - `unsafe`: any other member that must not be unpacked (link that leaves the archive, device, duplicate, backslash);
 * - `limit`: too many members, too many bytes, too high a compression ratio.
 */
export type ArchiveFaultKind = 'format' | 'absolute' | 'unsafe' | 'limit';

export class ArchiveFault extends Fault {
  readonly kind: ArchiveFaultKind;

  constructor(kind: ArchiveFaultKind, message: string, cause?: unknown) {
    super('InvalidValue', message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}

/** The two texts that a ConPaaS 1.x manager has for all of it; its clients show them as they are. */
export const CONPAAS_ARCHIVE_TEXTS: Record<ArchiveFaultKind, string> = {
  format: 'Invalid archive format',
  absolute: 'Absolute file names are not allowed in archive members',
  unsafe: 'Invalid archive format',
  limit: 'Invalid archive format',
};

/** A name from an archive, short and harmless enough for a message. */
export function shown(name: string): string {
  const clean = name.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
  return JSON.stringify(clean.length > 120 ? `${clean.slice(0, 117)}...` : clean);
}
