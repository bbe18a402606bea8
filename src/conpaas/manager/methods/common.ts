import { readFile } from 'node:fs/promises';
import type { ServiceType } from '../../../domain/conpaas.js';
import { type Method, type MethodCall, RpcError, textOf } from '../method.js';

/** What every service has. */
export const COMMON_METHODS: readonly Method[] = [
  {
    name: 'startup',
    kind: 'POST',
    optional: ['cloud'],
    async run({ lifecycle }, call) {
      checkCloud(call);
      await lifecycle.begin({
        from: ['INIT', 'STOPPED'],
        to: 'PROLOGUE',
        reason: '',
        goal: (current) => ({ ...current, aim: 'running' }),
      });
      return { result: { state: 'PROLOGUE' } };
    },
  },
  {
    name: 'shutdown',
    kind: 'POST',
    async run({ lifecycle }) {
      await lifecycle.begin({
        from: ['RUNNING'],
        to: 'EPILOGUE',
        reason: '',
        goal: (current) => ({ ...current, aim: 'stopped' }),
      });
      return { result: { state: 'EPILOGUE' } };
    },
  },
  {
    // Ours: the way out of ERROR. What remains of the nodes is removed, and the service can be started again.
    name: 'reset',
    kind: 'POST',
    async run({ lifecycle }) {
      await lifecycle.begin({
        from: ['ERROR'],
        to: 'EPILOGUE',
        reason: '',
        goal: (current) => ({ ...current, aim: 'stopped' }),
      });
      return { result: { state: 'EPILOGUE' } };
    },
  },
  {
    // Ours: gives up a start or a change that is under way; what was before is brought back.
    name: 'undo',
    kind: 'POST',
    async run({ lifecycle }) {
      await lifecycle.undo();
      return { result: {} };
    },
  },
  {
    name: 'delete',
    kind: 'POST',
    async run({ lifecycle }) {
      await lifecycle.delete();
      return { result: {} };
    },
  },
  {
    name: 'getLog',
    kind: 'GET',
    run: async (manager) => ({ result: { log: await manager.log() } }),
  },
  {
    name: 'get_service_info',
    kind: 'GET',
    async run({ lifecycle }) {
      const { state, type, current } = await lifecycle.service();
      return { result: { state, type: current.settings.typeName ?? shownType(type) } };
    },
  },
  {
    name: 'get_service_history',
    kind: 'GET',
    async run({ store, sid }) {
      const entries = await store.history(sid);
      const log = entries.map(({ at, state, reason }) => ({ time: Date.parse(at) / 1000, state, reason }));
      return { result: { state_log: log } };
    },
  },
  {
    name: 'upload_startup_script',
    kind: 'UPLOAD',
    required: ['script'],
    async run({ lifecycle }, { files }) {
      const file = files.find(({ field }) => field === 'script');
      if (!file) throw new RpcError('Invalid arguments DETAIL:"script" must be a file');
      if (file.size > LONGEST_SCRIPT) throw new RpcError('Invalid arguments DETAIL:The script is too long');
      const startupScript = await readFile(file.path, 'utf8');
      await lifecycle.keep((current) => ({ ...current, settings: { ...current.settings, startupScript } }));
      return { result: { filename: file.name } };
    },
  },
  {
    name: 'get_startup_script',
    kind: 'GET',
    async run({ lifecycle }) {
      const { startupScript } = (await lifecycle.service()).current.settings;
      if (startupScript === undefined) throw new RpcError('No startup script');
      return { result: startupScript };
    },
  },
];

const LONGEST_SCRIPT = 256 * 1024;

/** There is one cloud; clients know it under two names. */
export function checkCloud(call: MethodCall): void {
  const cloud = textOf(call, 'cloud');
  if (cloud === undefined || cloud === '' || cloud === 'default' || cloud === 'iaas') return;
  throw new RpcError(`A cloud named '${cloud}' could not be found`);
}

/** The web services' type stands in upper case. */
function shownType(type: ServiceType): string {
  return ['generic', 'mysql', 'helloworld'].includes(type) ? type : type.toUpperCase();
}
