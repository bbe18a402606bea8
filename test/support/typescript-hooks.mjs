import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** By their content, for the processes after this one: what transforms takes longer to load than all else together. */
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/coaps-typescript');
const OPTIONS = { loader: 'ts', format: 'esm', target: 'node20.19', sourcemap: 'inline' };

/** Sources import `./x.js` and the file is `./x.ts`. */
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/^\.{1,2}\/.*\.js$/.test(specifier)) throw error;
    return await next(specifier.replace(/\.js$/, '.ts'), context);
  }
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return await next(url, context);
  const filename = fileURLToPath(url);
  return { format: 'module', source: await transformed(filename), shortCircuit: true };
}

async function transformed(filename) {
  const text = await readFile(filename, 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([OPTIONS, filename, text]))
    .digest('hex');
  const kept = join(CACHE, `${key}.js`);
  try {
    return await readFile(kept, 'utf8');
  } catch {
    const { transform } = await import('esbuild');
    const { code } = await transform(text, { ...OPTIONS, sourcefile: filename });
    await mkdir(CACHE, { recursive: true });
    // Whole or not at all: others may look at the same moment, and this process may be killed.
    await writeFile(`${kept}.${process.pid}`, code);
    await rename(`${kept}.${process.pid}`, kept);
    return code;
  }
}
