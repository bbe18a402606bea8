import type { EnvironmentReport, EnvironmentSpec, PlatformAdapter } from '../../../adapters/adapter.js';
import { Fault } from '../../domain/errors.js';
import type { Environment } from '../../domain/model.js';
import type { Operation, StoreSession } from '../../store/store.js';
import type { Runner, Settlement, Settling } from '../operations/runner.js';
import { adapterOfEnvironment } from '../platforms.js';
import { environmentSpec } from '../specs.js';
import type { RunnerParts } from './targets.js';

export type EnvironmentChanges = Partial<
  Pick<Environment, 'name' | 'description' | 'template' | 'memory' | 'disk' | 'nodes' | 'variables'>
>;

export interface EnvironmentInput {
  envId: number;
  /** For an update. */
  changes?: EnvironmentChanges;
}

interface EnvironmentParts extends RunnerParts {
  environments: StoreSession['environments'];
}

/** Makes on the platform what the stored row describes; without success the row goes again. */
export function environmentCreationRunner(parts: EnvironmentParts): Runner {
  return {
    async run(run) {
      const { adapter, spec, envId } = await locate(parts, run.operation);
      await run.last(
        'create',
        (call) => adapter.createEnvironment(spec, call),
        (session, report) => session.environments.update(envId, fromReport(report)),
      );
    },
    settle: async (settling, fault) => {
      const { envId } = settling.operation.input as EnvironmentInput;
      const remains = await removed(parts, settling);
      if (remains === undefined) return { write: (session) => session.environments.delete(envId) };
      const remark = `It could not be made: ${fault.message} Delete it.`;
      return { write: (session) => session.environments.update(envId, { remarks: [remark] }), remains };
    },
    abandon: (session, { input }) => session.environments.delete((input as EnvironmentInput).envId),
  };
}

/** Brings the platform to the changed description; the row changes when that has succeeded. */
export function environmentUpdateRunner(parts: EnvironmentParts): Runner {
  return {
    async run(run) {
      const { changes = {} } = run.operation.input as EnvironmentInput;
      const { adapter, environment, envId } = await locate(parts, run.operation);
      const spec = environmentSpec(parts.installation, { ...environment, ...changes });
      await run.last(
        'update',
        (call) => adapter.createEnvironment(spec, call),
        (session, report) => session.environments.update(envId, { ...changes, ...fromReport(report) }),
      );
    },
    settle: (settling) => broughtBack(parts, settling),
  };
}

export function environmentDeletionRunner(parts: EnvironmentParts): Runner {
  return {
    async run(run) {
      const { envId } = run.operation.input as EnvironmentInput;
      const there = await run.commit('check', (session) => assertEmpty(session, envId));
      if (!there) return;
      await run.step('delete', async (call) => {
        const { adapter, spec } = await locate(parts, run.operation);
        await adapter.deleteEnvironment(spec, call);
      });
      await run.commit('forget', (session) => session.environments.delete(envId));
    },
  };
}

/** False: it is gone already. */
async function assertEmpty(session: StoreSession, envId: number): Promise<boolean> {
  const [occupant] = await session.applications.deployed({ envId });
  if (occupant) throw occupied(envId, occupant.appId);
  return (await session.environments.get(envId)) !== undefined;
}

export function occupied(envId: number, appId: number): Fault {
  return new Fault('Conflict', `Application ${appId} is deployed on environment ${envId}; undeploy it first.`);
}

function fromReport({ ref, remarks }: EnvironmentReport) {
  return { ref, remarks };
}

async function locate(
  parts: EnvironmentParts,
  { input }: Operation,
): Promise<{ adapter: PlatformAdapter; environment: Environment; spec: EnvironmentSpec; envId: number }> {
  const { envId } = input as EnvironmentInput;
  const environment = await parts.environments.get(envId);
  if (!environment) throw new Fault('NotFound', `There is no environment ${envId}.`);
  const spec = environmentSpec(parts.installation, environment);
  return { adapter: adapterOfEnvironment(parts, environment), environment, spec, envId };
}

/** Removes what a creation made. Gives what remains, if that fails. */
async function removed(parts: EnvironmentParts, settling: Settling): Promise<string | undefined> {
  try {
    const { adapter, spec } = await locate(parts, settling.operation);
    await adapter.deleteEnvironment(spec, settling.call());
    return undefined;
  } catch (error) {
    return `What was made on the platform may remain there (${(error as Error).message}); delete the environment to remove it.`;
  }
}

async function broughtBack(parts: EnvironmentParts, settling: Settling): Promise<Settlement> {
  try {
    const { adapter, spec } = await locate(parts, settling.operation);
    await adapter.createEnvironment(spec, settling.call());
    return {};
  } catch {
    return { remains: 'The platform may hold a part of the changes; update it again.' };
  }
}
