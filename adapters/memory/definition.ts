import type { AdapterContext, AdapterDefinition } from '../adapter.js';
import { MemoryPlatform } from './client.js';
import { MemoryAdapter } from './index.js';

export const memoryDefinition: AdapterDefinition = {
  name: 'memory',
  summary: 'A simulated platform inside the gateway: for demonstrations, tests, and as a model for new adapters.',
  options: [
    {
      name: 'folder',
      type: 'string',
      help: 'Folder in which the platform keeps its state, so that it survives the gateway. Without it everything ends with the gateway.',
    },
    { name: 'delay', type: 'number', default: 0, help: 'Milliseconds that each simulated step of work takes.' },
  ],
  async create(context) {
    const platform = new MemoryPlatform({ ...readOptions(context), log: context.log });
    await platform.recover();
    return new MemoryAdapter(platform, context.installation);
  },
};

function readOptions({ options }: AdapterContext): { folder?: string; delay?: number } {
  return {
    ...(typeof options['folder'] === 'string' ? { folder: options['folder'] } : {}),
    ...(typeof options['delay'] === 'number' ? { delay: options['delay'] } : {}),
  };
}
