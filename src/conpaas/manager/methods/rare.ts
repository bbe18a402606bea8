import { type Method, type MethodCall, RpcError } from '../method.js';

/**
 * Methods of the original that need what this ConPaaS does not have: a Git server, a content network, a meter of response times. Its
 * clients know them, and print why it does not work; an unknown method makes them blame their certificates.
 */
const GIT = 'This ConPaaS takes no git push: upload an archive with upload_code_version.';

export const GIT_METHODS: readonly Method[] = [
  { name: 'list_authorized_keys', kind: 'GET', run: async () => ({ result: { authorizedKeys: [] } }) },
  refused('upload_authorized_key', GIT, { kind: 'UPLOAD', required: ['key'] }),
  refused('git_push_hook', GIT),
];

export const TUNING_METHODS: readonly Method[] = [
  refused('on_autoscaling', 'This ConPaaS does not scale by itself: use add_nodes and remove_nodes.', {
    optional: ['cool_down', 'response_time', 'strategy'],
  }),
  { name: 'off_autoscaling', kind: 'POST', run: async () => ({ result: {} }) },
  {
    name: 'cdn_enable',
    kind: 'POST',
    required: ['enable'],
    optional: ['address'],
    async run(_manager, call) {
      if (isOn(call)) throw new RpcError('This ConPaaS has no content delivery network.');
      return { result: {} };
    },
  },
  refused('update_nodes_weight', 'All nodes of a role have the same weight on this ConPaaS.', {
    optional: ['web', 'backend'],
  }),
];

function refused(
  name: string,
  text: string,
  more: Partial<Pick<Method, 'kind' | 'required' | 'optional'>> = {},
): Method {
  return {
    name,
    kind: 'POST',
    ...more,
    run: async () => {
      throw new RpcError(text);
    },
  };
}

function isOn({ parameters }: MethodCall): boolean {
  return ![false, 0, '', 'false', 'False', '0'].includes(parameters['enable'] as string);
}
