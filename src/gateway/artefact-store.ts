import type { Config } from '../config.js';
import { openArtefactFiles } from '../store/artefact-files.js';
import type { ArtefactFiles } from '../store/store.js';
import { folderIn } from './data-directory.js';

/** The artefact store that a configuration means, with what closes it. */
export interface ArtefactStore extends ArtefactFiles {
  close(): Promise<void>;
}

export async function openArtefactStore({ data }: Pick<Config, 'data' | 'artefacts'>): Promise<ArtefactStore> {
  return { ...(await openArtefactFiles(folderIn(data, 'artefacts'))), close: async () => undefined };
}
