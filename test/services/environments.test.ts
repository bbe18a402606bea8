import { ADA, as, environmentManifest, finished } from '../support/services.js';
import { useServices } from './bench.js';

const bench = useServices();

describe('the platform of an environment', () => {
  test('is the base; else the provider that is configured, in any case; else the default', async () => {
    const at = async (base: string | undefined, provider?: string) =>
      finished(
        await bench.services.environments.create(
          as(ADA),
          base,
          environmentManifest(provider === undefined ? {} : { provider }),
        ),
      ).platform;
    expect(await at('Other', 'MEM')).toBe('Other');
    expect(await at(undefined, 'other')).toBe('Other');
    expect(await at(undefined, 'GAE')).toBe('MEM');
    expect(await at(undefined)).toBe('MEM');
    expect(await bench.services.information(undefined, as(ADA).signal)).toMatchObject({
      platform: 'MEM',
      adapter: 'memory',
    });
  });
});

describe('an environment', () => {
  test('takes the nearest version with a remark, and its update reaches the platform', async () => {
    const nodes = [{ name: 'tomcat', contentType: 'container', version: '6.0.35' }];
    const made = finished(await bench.services.environments.create(as(ADA), 'MEM', environmentManifest({ nodes })));
    expect(made).toMatchObject({ state: 'CREATED', remarks: ['tomcat 6.0.35 is not offered; tomcat 9 is used.'] });
    const changes = environmentManifest({ name: 'Renamed', variables: { A: 'b' } });
    const updated = finished(await bench.services.environments.update(as(ADA), made.envId, changes));
    expect(updated).toMatchObject({ name: 'Renamed', variables: { A: 'b' }, nodes });
    expect(await bench.services.platform.spaces(as(ADA).signal)).toMatchObject([
      { name: 'Renamed', variables: { A: 'b' } },
    ]);
  });

  test('keeps its description when an update is refused', async () => {
    const envId = await bench.environment();
    const nodes = [{ name: 'COBOL', contentType: 'container' }];
    const refused = bench.services.environments.update(as(ADA), envId, environmentManifest({ name: 'Other', nodes }));
    await expect(refused).rejects.toMatchObject({ code: 'InvalidValue' });
    expect(await bench.services.environments.describe(ADA, envId)).toMatchObject({ name: 'JavaWebEnv', nodes: [] });
  });
});
