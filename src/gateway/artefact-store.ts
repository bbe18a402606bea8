import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { Fault } from '../domain/errors.js';
import { openArtefactFiles } from '../store/artefact-files.js';
import { openArtefactBucket } from '../store/bucket/artefact-bucket.js';
import type { ArtefactFiles } from '../store/store.js';
import { folderIn } from './data-directory.js';

/** The artefact store that a configuration means, with what closes it. */
export interface ArtefactStore extends ArtefactFiles {
  close(): Promise<void>;
}

/**
 * `installation`: of the store whose versions hold the artefacts. Where others could come, in a shared folder or a bucket, those of
 * another one are a fault: each would sweep what only the other one knows. Absent: nothing is swept.
 */
export async function openArtefactStore(
  { data, artefacts: { store, s3 } }: Pick<Config, 'data' | 'artefacts'>,
  installation?: string,
): Promise<ArtefactStore> {
  const own = folderIn(data, 'artefacts');
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(store) ?? [];
  if (bucket === undefined) {
    if (store !== 'files' && installation !== undefined) await claim(store, installation);
    return { ...(await openArtefactFiles(store === 'files' ? own : store)), close: async () => undefined };
  }
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  return await openArtefactBucket({
    bucket,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    spool: own,
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    ...(installation !== undefined && { installation }),
  });
}

async function claim(folder: string, installation: string): Promise<void> {
  const file = join(folder, 'installation');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(file, installation, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const owner = await readFile(file, 'utf8');
  if (owner === installation) return;
  throw new Fault(
    'Conflict',
    `${folder} of artefacts.store holds the artefacts of another installation (${owner}, this is ${installation}). Choose another folder.`,
  );
}
