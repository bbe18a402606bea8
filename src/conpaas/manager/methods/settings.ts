import type { ServiceGoal, ServiceSettings } from '../../../domain/conpaas.js';
import { countOf, type Method, type MethodCall, RpcError } from '../method.js';
import { enabledCode } from './code.js';

/**
 * Ours, for what the methods of 2012 cannot say. `update_settings` takes any of
 * - `variables`: object of texts, the whole environment of the application (earlier ones go),
 * - `memory`: MiB for each process,
 * - `backends`: how many processes serve (1 = packed on the proxy node),
 * - `codeVersionId`,
 * and brings a running service there in one transition; a resting one holds to it from its next start on.
 */
export const SETTINGS_METHODS: readonly Method[] = [
  {
    name: 'update_settings',
    kind: 'POST',
    optional: ['variables', 'memory', 'backends', 'codeVersionId'],
    async run(manager, call) {
      const codeVersionId = await enabledCode(manager, call);
      const settings = settingsOf(call);
      const backends = countOf(call, 'backends');
      if (backends === 0)
        throw new RpcError('Invalid arguments DETAIL:Expecting a positive integer value for "backends"');
      await manager.lifecycle.adjust(
        'update_settings',
        (current): ServiceGoal => ({
          ...current,
          ...(codeVersionId === undefined ? {} : { codeVersionId }),
          ...(backends === undefined ? {} : { counts: { ...current.counts, backend: backends === 1 ? 0 : backends } }),
          settings: { ...current.settings, ...settings },
        }),
      );
      return { result: {} };
    },
  },
  {
    name: 'get_settings',
    kind: 'GET',
    async run({ lifecycle }) {
      const { counts, codeVersionId, settings } = (await lifecycle.service()).current;
      const { variables, memory = null } = settings;
      return { result: { variables, memory, backends: Math.max(1, counts['backend'] ?? 0), codeVersionId } };
    },
  },
];

/** Of a generic service: its scripts have variables and memory, and its nodes are counted by add_nodes. */
export const GENERIC_SETTINGS_METHODS: readonly Method[] = [
  {
    name: 'update_settings',
    kind: 'POST',
    optional: ['variables', 'memory', 'codeVersionId'],
    async run(manager, call) {
      const codeVersionId = await enabledCode(manager, call);
      const settings = settingsOf(call);
      await manager.lifecycle.adjust(
        'update_settings',
        (current): ServiceGoal => ({
          ...current,
          ...(codeVersionId === undefined ? {} : { codeVersionId }),
          settings: { ...current.settings, ...settings },
        }),
      );
      return { result: {} };
    },
  },
];

function settingsOf(call: MethodCall): Partial<ServiceSettings> {
  const variables = variablesOf(call.parameters['variables']);
  const memory = countOf(call, 'memory');
  return { ...(variables && { variables }), ...(memory === undefined ? {} : { memory }) };
}

function variablesOf(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new RpcError('Invalid arguments DETAIL:Expecting an object for "variables"');
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(name) || typeof text !== 'string' || text.includes('\0')) {
        throw new RpcError(`Invalid arguments DETAIL:"${name.slice(0, 100)}" is no environment variable with a text`);
      }
      return [name, text];
    }),
  );
}
