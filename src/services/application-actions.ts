import { Fault } from '../domain/errors.js';
import type { Application } from '../domain/model.js';
import type { Principal } from '../domain/principal.js';
import { readableApplication } from './access.js';
import { type Accepted, type Context, perform, type Requester } from './context.js';
import { enqueueLifecycle } from './lifecycle.js';
import type { LifecycleInput } from './runners/lifecycle.js';

export interface ApplicationActions {
  /** On every deployed instance of the newest deployed version; of another tenant's application, on the caller's environments alone. */
  act(request: Requester, appId: number, verb: 'start' | 'stop' | 'restart'): Promise<Application | Accepted>;
  scale(request: Requester, appId: number, processes: number): Promise<Application | Accepted>;
}

const ACTIONS = { start: 'startApplication', stop: 'stopApplication', restart: 'restartApplication' } as const;

export function createApplicationActions(context: Context): ApplicationActions {
  const { store } = context;
  const act = (request: Requester, appId: number, action: string, input: Pick<LifecycleInput, 'verb' | 'processes'>) =>
    perform(
      context,
      request,
      async (session) => {
        const application = await readableApplication(session, request.principal, appId);
        const selection = { of: 'application', appId, ...restriction(request.principal, application) } as const;
        return enqueueLifecycle(session, request, action, { ...input, selection }, application);
      },
      () => readableApplication(store, request.principal, appId),
    );
  return {
    act: (request, appId, verb) => act(request, appId, ACTIONS[verb], { verb }),
    async scale(request, appId, processes) {
      if (processes >= 1) return act(request, appId, 'scaleApplication', { verb: 'scale', processes });
      throw new Fault('InvalidValue', 'An application runs at least one process; stop it to run none.');
    },
  };
}

function restriction(principal: Principal, { tenant }: Application): { tenant?: string } {
  return principal.role === 'admin' || principal.tenant === tenant ? {} : { tenant: principal.tenant };
}
