import type { Config } from '../config.js';
import { openArtefactFiles } from '../store/artefact-files.js';
import { openArtefactBucket } from '../store/bucket/artefact-bucket.js';
import type { ArtefactFiles } from '../store/store.js';
import { folderIn } from './data-directory.js';

/** The artefact store that a configuration means, with what closes it. */
export interface ArtefactStore extends ArtefactFiles {
  close(): Promise<void>;
}

export async function openArtefactStore({
  data,
  artefacts: { store, s3 },
}: Pick<Config, 'data' | 'artefacts'>): Promise<ArtefactStore> {
  const own = folderIn(data, 'artefacts');
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(store) ?? [];
  if (bucket === undefined) {
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
  });
}
