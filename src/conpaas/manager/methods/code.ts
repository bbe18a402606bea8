import { ArchiveFault, CONPAAS_ARCHIVE_TEXTS } from '../../../archives/index.js';
import type { ServiceGoal } from '../../../domain/conpaas.js';
import { type ManagerCore, type Method, type MethodCall, RpcError, textOf } from '../method.js';

/** Code versions: uploaded, listed, fetched, removed, enabled. */
export const CODE_METHODS: readonly Method[] = [
  {
    name: 'upload_code_version',
    kind: 'UPLOAD',
    required: ['code'],
    optional: ['description'],
    async run({ code }, call) {
      const file = call.files.find(({ field }) => field === 'code');
      if (!file) throw new RpcError('Invalid arguments DETAIL:"code" must be a file');
      try {
        const description = textOf(call, 'description') ?? '';
        const { codeVersionId } = await code.add({ path: file.path, name: file.name, description });
        return { result: { codeVersionId } };
      } catch (error) {
        if (error instanceof ArchiveFault) {
          throw new RpcError(`Invalid arguments DETAIL:${CONPAAS_ARCHIVE_TEXTS[error.kind]}`);
        }
        throw error;
      }
    },
  },
  {
    name: 'list_code_versions',
    kind: 'GET',
    async run({ code, lifecycle }) {
      const { current } = await lifecycle.service();
      const versions = await code.list();
      const codeVersions = versions.map(({ codeVersionId, filename, description, createdAt }) => ({
        codeVersionId,
        filename,
        description,
        time: Date.parse(createdAt) / 1000,
        // Old clients ask whether the key is there, not what it says.
        ...(codeVersionId === current.codeVersionId ? { current: true } : {}),
      }));
      return { result: { codeVersions } };
    },
  },
  {
    name: 'download_code_version',
    kind: 'GET',
    required: ['codeVersionId'],
    async run({ code }, call) {
      const id = textOf(call, 'codeVersionId') ?? '';
      const version = await code.get(id);
      if (!version) throw new RpcError('Invalid arguments DETAIL:Invalid codeVersionId');
      return { file: code.fileOf(id), name: version.filename };
    },
  },
  {
    name: 'delete_code_version',
    kind: 'POST',
    required: ['codeVersionId'],
    async run({ code, lifecycle }, call) {
      const id = textOf(call, 'codeVersionId') ?? '';
      const { current, goal } = await lifecycle.service();
      if (id === current.codeVersionId || id === goal?.codeVersionId) {
        throw new RpcError('Invalid arguments DETAIL:Cannot remove the active code version');
      }
      if (!(await code.remove(id))) throw new RpcError('Invalid arguments DETAIL:Invalid codeVersionId');
      return { result: {} };
    },
  },
];

export const ENABLE_CODE: Method = enabling('enable_code');
export const UPDATE_JAVA_CONFIGURATION: Method = enabling('update_java_configuration');

function enabling(name: string): Method {
  return {
    name,
    kind: 'POST',
    required: ['codeVersionId'],
    async run(manager, call) {
      const codeVersionId = await enabledCode(manager, call);
      if (codeVersionId === undefined) throw new RpcError('Missing argument "codeVersionId"');
      await manager.lifecycle.adjust(`${name} ${codeVersionId}`, (current) => ({ ...current, codeVersionId }));
      return { result: {} };
    },
  };
}

export const UPDATE_PHP_CONFIGURATION: Method = {
  name: 'update_php_configuration',
  kind: 'POST',
  optional: ['codeVersionId', 'phpconf'],
  async run(manager, call) {
    const codeVersionId = await enabledCode(manager, call);
    const php = phpSettings(call.parameters['phpconf']);
    if (codeVersionId === undefined && php === undefined) {
      throw new RpcError('Missing argument "codeVersionId"');
    }
    const reason = `update_php_configuration ${codeVersionId ?? ''}`.trim();
    await manager.lifecycle.adjust(
      reason,
      (current): ServiceGoal => ({
        ...current,
        ...(codeVersionId === undefined ? {} : { codeVersionId }),
        settings: { ...current.settings, php: { ...current.settings.php, ...php } },
      }),
    );
    return { result: {} };
  },
};

export const GET_PHP_CONFIGURATION: Method = {
  name: 'get_configuration',
  kind: 'GET',
  async run({ lifecycle }) {
    const { codeVersionId, settings } = (await lifecycle.service()).current;
    return {
      result: { codeVersionId, phpconf: { ...PHP_DEFAULTS, ...settings.php }, cdn: false, autoscaling: false },
    };
  },
};

export const GET_CONFIGURATION: Method = {
  name: 'get_configuration',
  kind: 'GET',
  run: async ({ lifecycle }) => ({ result: { codeVersionId: (await lifecycle.service()).current.codeVersionId } }),
};

/** What a service has that its owner never set, and what may be set. */
const PHP_DEFAULTS: Record<string, string> = {
  max_execution_time: '30',
  memory_limit: '128M',
  log_errors: 'On',
  display_errors: 'Off',
  upload_max_filesize: '2M',
  post_max_size: '8M',
  disable_functions: '',
};

/** The parameter's code version, which must exist. */
export async function enabledCode({ code }: ManagerCore, call: MethodCall): Promise<string | undefined> {
  const id = textOf(call, 'codeVersionId');
  if (id !== undefined && !(await code.get(id))) throw new RpcError(`Unknown code version identifier "${id}"`);
  return id;
}

/** Values go into a configuration file: one line each, of harmless characters. */
function phpSettings(value: unknown): Record<string, string> | undefined {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RpcError('Invalid arguments DETAIL:Expecting an object for "phpconf"');
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, setting]) => {
      if (!Object.hasOwn(PHP_DEFAULTS, name)) throw new RpcError(`Invalid arguments DETAIL:Unknown phpconf "${name}"`);
      const text = String(setting);
      if (!/^[\w ,.-]{0,1000}$/.test(text)) {
        throw new RpcError(`Invalid arguments DETAIL:Invalid value for phpconf "${name}"`);
      }
      return [name, text];
    }),
  );
}
