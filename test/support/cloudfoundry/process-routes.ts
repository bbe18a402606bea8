import type { Cells } from './cells.js';
import { type Documents, instanceInShort } from './documents.js';
import { disabled, notFound } from './errors.js';
import { type Call, listOf, type Routes } from './http.js';
import type { App, Process, User } from './objects.js';
import type { World } from './world.js';

interface Finders {
  find(guid: string, user: User): App;
  writable(guid: string, user: User): App;
}

/** Processes: their size, health checks, statistics. */
export function processRoutes(world: World, documents: Documents, cells: Cells, { find, writable }: Finders): Routes {
  const process = (guid: string, user: User) =>
    world.see(world.processes, guid, user, 'Process', (one) => one.app.space);
  /** By type: the newest one, while a deployment runs. */
  const ofType = (app: App, type: string) => {
    const found = world.processes.filter((one) => one.app === app && one.type === type).at(-1);
    if (!found) throw notFound('Process');
    return found;
  };
  const scale = (one: Process, { body }: Call) => {
    cells.scale(one, body);
    return { status: 202, body: documents.process(one) };
  };
  const list = (
    call: Call,
    all: readonly Process[],
    filters: Record<string, (one: Process) => string> = {},
    extra: string[] = [],
  ) =>
    listOf(
      call,
      world.urls.api,
      all,
      (one) => documents.process(one, { listed: true, embeds: call.query.get('embed') === 'process_instances' }),
      { filters, extra },
    );
  return {
    'GET /v3/processes': (call) =>
      list(
        call,
        world.processes.filter((one) => world.sees(call.user, one.app.space)),
        {
          types: (one) => one.type,
          app_guids: (one) => one.app.guid,
          space_guids: (one) => one.app.space.guid,
          organization_guids: (one) => one.app.space.org.guid,
        },
        world.options.embeds === false ? [] : ['embed'],
      ),
    'GET /v3/apps/:guid/processes': (call) => {
      const app = find(call.params['guid'] ?? '', call.user);
      return list(
        call,
        world.processes.filter((one) => one.app === app),
        { types: (one) => one.type },
      );
    },
    'GET /v3/processes/:guid': ({ params, user }) => ({
      status: 200,
      body: documents.process(process(params['guid'] ?? '', user)),
    }),
    'GET /v3/apps/:guid/processes/:type': ({ params, user }) => ({
      status: 200,
      body: documents.process(ofType(find(params['guid'] ?? '', user), params['type'] ?? '')),
    }),
    'PATCH /v3/processes/:guid': ({ params, body, user }) => {
      const one = process(params['guid'] ?? '', user);
      world.mayWrite(user, one.app.space);
      cells.change(one, body);
      return { status: 200, body: documents.process(one) };
    },
    'GET /v3/processes/:guid/stats': ({ params, user }) => cells.stats(process(params['guid'] ?? '', user)),
    'GET /v3/apps/:guid/processes/:type/stats': ({ params, user }) =>
      cells.stats(ofType(find(params['guid'] ?? '', user), params['type'] ?? '')),
    'GET /v3/processes/:guid/process_instances': ({ params, user }) => {
      const one = process(params['guid'] ?? '', user);
      const links = {
        self: documents.url(`/v3/processes/${one.guid}/process_instances`),
        process: documents.url(`/v3/processes/${one.guid}`),
      };
      return { status: 200, body: { resources: one.cells.map(instanceInShort), links } };
    },
    'GET /v3/processes/:guid/sidecars': (call) => {
      process(call.params['guid'] ?? '', call.user);
      return listOf(call, world.urls.api, [], () => ({}));
    },
    'DELETE /v3/processes/:guid/instances/:index': ({ params, user }) => {
      const one = process(params['guid'] ?? '', user);
      world.mayWrite(user, one.app.space);
      cells.kill(one, Number(params['index']));
      return { status: 204 };
    },
    'POST /v3/apps/:guid/processes/:type/actions/scale': (call) => {
      const app = writable(call.params['guid'] ?? '', call.user);
      const one = ofType(app, call.params['type'] ?? '');
      const flag = world.flags.get('app_scaling');
      if (!call.user.admin && flag?.enabled === false) throw disabled(flag.text ?? 'app_scaling');
      return scale(one, call);
    },
    'POST /v3/processes/:guid/actions/scale': (call) => {
      const one = process(call.params['guid'] ?? '', call.user);
      world.mayWrite(call.user, one.app.space);
      return scale(one, call);
    },
  };
}
