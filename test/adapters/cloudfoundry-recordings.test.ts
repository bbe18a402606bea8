import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeZip } from '../contract/archive.js';
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

test('two uploads to one package at the same time are both taken, one after the other is not', async () => {
  const fake = await startCloudFoundry({ pace: 'by hand' });
  try {
    const headers = { authorization: `bearer ${fake.uaa.tokenOf('dev')}` };
    const post = async (path: string, body: unknown) => {
      const answer = await fetch(fake.world.urls.api + path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as { guid: string };
    };
    const space = fake.world.spaces.find(({ name }) => name === 'dev');
    const app = await post('/v3/apps', { name: 'a', relationships: { space: { data: { guid: space?.guid } } } });
    const { guid } = await post('/v3/packages', { type: 'bits', relationships: { app: { data: { guid: app.guid } } } });
    const archive = new Uint8Array(await makeZip({ 'index.html': 'hello' }));
    const upload = async () => {
      const body = new FormData();
      body.set('bits', new Blob([archive]), 'app.zip');
      return (await fetch(`${fake.world.urls.api}/v3/packages/${guid}/upload`, { method: 'POST', headers, body }))
        .status;
    };
    expect(await Promise.all([upload(), upload()])).toEqual([200, 200]);
    expect(await upload()).toBe(400);
  } finally {
    await fake.close();
  }
});
