import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDataDirectory } from '../../src/gateway/data-directory.js';
import { everythingIn, fillStore } from '../support/filled-store.js';
import { finished, openStage, type Stage } from '../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  mkdirSync(stage.data);
  openDataDirectory(stage.data).release();
  await fillStore(join(stage.data, 'coaps.db'), 3);
});
afterAll(() => stage.close());

const move = (args: string[], env: Record<string, string> = {}) =>
  finished(stage.coaps(['store', 'move', ...args], { env: { COAPS_DATA: stage.data, ...env } }));

test('coaps store move takes no password from the command line, and one from the environment', async () => {
  const secret = await move(['--to', 'postgres://coaps:geheim@127.0.0.1:1/coaps']);
  expect(secret).toMatchObject({ code: 2, stderr: expect.stringMatching(/COAPS_MOVE_TO/) });
  const away = await move([], { COAPS_MOVE_TO: 'postgres://coaps:geheim@127.0.0.1:1/coaps' });
  expect(away).toMatchObject({ code: 1, stderr: expect.stringMatching(/coaps: The database cannot be reached/) });
  expect(away.stderr).toContain('postgres://127.0.0.1:1/coaps');
  for (const { stdout, stderr } of [secret, away]) expect(stdout + stderr).not.toContain('geheim');
  expect(await move([])).toMatchObject({ code: 2, stderr: expect.stringMatching(/--to or COAPS_MOVE_TO/) });

  const to = `sqlite:${join(stage.directory, 'other.db')}`;
  const moved = await move(['--to', to]);
  expect(moved).toMatchObject({ code: 0, stdout: expect.stringMatching(/COAPS_DATABASE_URL/) });
  expect(moved.stderr).toMatch(/Moved \d+ rows in \d+ tables .*counts and digests agree/);
  const [{ migrations: _, ...before }, { migrations: __, ...after }] = [
    await everythingIn(`sqlite:${join(stage.data, 'coaps.db')}`),
    await everythingIn(to),
  ];
  expect(after).toEqual(before);
});
