import { join } from 'node:path';
import { runScript } from '../support/child-gateway.js';

describe('the log', () => {
  it('is JSON lines on stderr, without secrets wherever they stand', async () => {
    const child = runScript(join(import.meta.dirname, '../support/logging.mjs'), []);
    expect(await child.exited).toBe(0);
    expect(child.stdout()).toBe('');
    const lines = child
      .stderr()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: number; msg: string });
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'a platform cannot be observed'],
      [30, 'options'],
    ]);
    expect(child.stderr()).not.toContain('hidden-');
    expect(lines[0]).toMatchObject({ platform: 'CF', err: { message: 'refused' } });
  });
});
