import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A test is what was built of it, wherever this run's build is. */
export default {
  process(_text, path) {
    const built = relative(ROOT, path).replace(/ts$/, 'js');
    return { code: `await import(\`\${process.env.BUILT_TESTS}/${built}\`);` };
  },
};
