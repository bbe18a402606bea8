import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryPlatform } from '../../adapters/memory/client.js';
import { memoryDefinition } from '../../adapters/memory/definition.js';
import { MemoryAdapter } from '../../adapters/memory/index.js';
import { adapterContractSuite } from '../contract/adapter.js';
import { artefactOf, call } from '../contract/adapter-stage.js';
import { openMemoryBench } from '../support/memory-bench.js';

adapterContractSuite('memory', openMemoryBench);

const log = { debug() {}, info() {}, warn() {}, error() {} };
const context = (folder: string) => ({ platform: 'M', installation: 'abcdefgh', options: { folder }, log });

describe('the memory adapter with a folder', () => {
  test('keeps its platform, addresses included, when the gateway ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'memory-'));
    const environment = { installation: 'abcdefgh', envId: 1, name: 'E', nodes: [], variables: {} };
    const key = { installation: 'abcdefgh', appId: 1, envId: 1, instanceId: 1 };
    const artefact = artefactOf('site.zip', 'zip', Buffer.from('bytes'));
    try {
      const first = await memoryDefinition.create(context(folder));
      await first.createEnvironment(environment, call());
      await first.deploy({ key, versionId: 7, applicationName: 'A', environment, artefact, processes: 1 }, call());
      const started = await first.start(key, call());
      await first.close();
      const second = await memoryDefinition.create(context(folder));
      expect(await second.observe(call())).toEqual([started]);
      const answer = await fetch(started.uri ?? '');
      expect(await answer.json()).toEqual({
        application: 'A',
        version: 7,
        artefact: { name: 'site.zip', sha256: artefact.sha256 },
      });
      await second.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the memory platform', () => {
  test('refuses bytes that are not those that were announced', async () => {
    const platform = new MemoryPlatform();
    const adapter = new MemoryAdapter(platform, 'abcdefgh');
    const environment = { installation: 'abcdefgh', envId: 1, name: 'E', nodes: [], variables: {} };
    const key = { installation: 'abcdefgh', appId: 1, envId: 1, instanceId: 1 };
    const artefact = { ...artefactOf('site.zip', 'zip', Buffer.from('bytes')), sha256: '0'.repeat(64) };
    const deploying = adapter.deploy(
      { key, versionId: 1, applicationName: 'A', environment, artefact, processes: 1 },
      call(),
    );
    await expect(deploying).rejects.toMatchObject({ kind: 'rejected' });
    expect(await adapter.observe(call())).toEqual([]);
    await adapter.close();
  });

  test('runs an enterprise archive where the environment has an application server only', async () => {
    const adapter = new MemoryAdapter(new MemoryPlatform(), 'abcdefgh');
    const key = { installation: 'abcdefgh', appId: 1, envId: 1, instanceId: 1 };
    const artefact = artefactOf('shop.ear', 'ear', Buffer.from('bytes'));
    const deploy = (name: string) => {
      const nodes = [{ name, contentType: 'container' }];
      const environment = { installation: 'abcdefgh', envId: 1, name: 'E', nodes, variables: {} };
      return adapter.deploy({ key, versionId: 1, applicationName: 'A', environment, artefact, processes: 1 }, call());
    };
    await expect(deploy('tomcat')).rejects.toMatchObject({
      kind: 'not-supported',
      message: expect.stringContaining('jboss'),
    });
    expect(await adapter.observe(call())).toEqual([]);
    expect((await deploy('JBOSSAS_7')).state).toBe('STOPPED');
    await adapter.close();
  });
});
