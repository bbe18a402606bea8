import type { Application, Version } from './model.js';

/** The version with the highest id. */
export function newestVersion({ versions }: Application): Version | undefined {
  return versions.reduce<Version | undefined>(
    (newest, version) => (newest && newest.versionId > version.versionId ? newest : version),
    undefined,
  );
}
