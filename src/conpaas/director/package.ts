import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from 'tar';
import { packageRoot } from '../package-root.js';
import { type Endpoint, failure } from './endpoint.js';

/** What a host needs to run managers or agents: this very package, as it was built. */
export const PACKAGE_ENDPOINTS: readonly Endpoint[] = [
  {
    methods: ['GET'],
    path: '/download/ConPaaS.tar.gz',
    who: 'anyone',
    async run({ packageFile }) {
      const file = await packageFile();
      return file ? { file, type: 'application/x-gzip', name: 'ConPaaS.tar.gz' } : failure('Not built: npm run build.');
    },
  },
];

const CONTENT = ['package.json', 'package-lock.json', 'LICENSE', 'README.md', 'dist'];

/** Packed at the first request and then kept for this process' life. Undefined: the package is not built. */
export function packer(folder: string): () => Promise<string | undefined> {
  let packed: Promise<string> | undefined;
  return async () => {
    const root = packageRoot();
    const content = CONTENT.filter((name) => existsSync(join(root, name)));
    if (!content.includes('dist')) return undefined;
    packed ??= pack(root, content, join(folder, 'ConPaaS.tar.gz'));
    packed.catch(() => {
      packed = undefined;
    });
    return await packed;
  };
}

async function pack(cwd: string, content: string[], file: string): Promise<string> {
  const partial = `${file}.part`;
  await create({ file: partial, cwd, gzip: true, portable: true, prefix: 'ConPaaS' }, content);
  await rename(partial, file);
  return file;
}
