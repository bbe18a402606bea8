import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTRACTS } from '../support/openshift/contract.js';
import { play, type Recorded, stageOf } from '../support/openshift/replay.js';
import { SCENES } from '../support/openshift/scenes.js';
import { startFakeOpenShift } from '../support/openshift.js';

const FOLDER = join(CONTRACTS, 'recordings/openshift');
const compare = existsSync(FOLDER) ? describe : describe.skip;

compare('the fake OpenShift beside recordings of a real one (skipped without ../shared/contracts)', () => {
  test.each(Object.entries(SCENES))(
    'answers %s with the same status, reason and shape',
    async (name, scene) => {
      const entries = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Recorded[];
      const fake = await startFakeOpenShift({ second: scene.second, bare: scene.bare ?? false });
      try {
        const played = await play(scene, stageOf(fake, entries));
        expect(played.length).toBe(entries.length - Object.keys(scene.skip ?? {}).length);
        expect(played.filter((one) => one.faults.length > 0).map(({ title, faults }) => [title, ...faults])).toEqual(
          [],
        );
      } finally {
        await fake.close();
      }
    },
    120_000,
  );
});
