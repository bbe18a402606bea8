import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { knowSeeded } from '../support/cloudfoundry/invent.js';
import { createReplay, type Recorded, replay } from '../support/cloudfoundry/replay.js';
import { inOrder, SESSION, sceneOf } from '../support/cloudfoundry/scenes.js';
import { type FakeCloudFoundry, startCloudFoundry } from '../support/cloudfoundry.js';

/** Beside the checkout; not part of the project. */
const FOLDER = join(import.meta.dirname, '../../../shared/contracts/recordings/cloudfoundry');
const present = existsSync(FOLDER);
const read = (name: string) => JSON.parse(readFileSync(join(FOLDER, `real-cc-${name}.json`), 'utf8')) as Recorded[];

if (!present) test.skip(`the recordings are not at ${FOLDER}`, () => {});

/** The recordings are one session with one server: played in their order on one fake, what one made is there for the next. */
(present ? describe : describe.skip)('the fake answers as the real Cloud Controller was recorded', () => {
  const known = createReplay();
  let fake: FakeCloudFoundry;
  beforeAll(async () => {
    fake = await startCloudFoundry({ pace: 'by hand' });
    knowSeeded(fake, SESSION.flat().flatMap(read), known);
  });
  afterAll(() => fake?.close());

  test.each(SESSION)('%p', async (...names) => {
    const recording = inOrder(names.map(read));
    expect(await replay(fake, recording, known, sceneOf(names[0] ?? '', recording))).toEqual([]);
  });
});
