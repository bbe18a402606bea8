import { register } from 'node:module';

// `node --import test/support/typescript.mjs file.ts` runs TypeScript: for tests that need a process of its own, to be killed.
register('./typescript-hooks.mjs', import.meta.url);
