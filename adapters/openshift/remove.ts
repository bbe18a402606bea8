import type { DeploymentKey } from '../adapter.js';
import type { ApiObject } from './api-objects.js';
import { waitFor } from './follow.js';
import { BUILD, BUILD_CONFIG, DEPLOYMENT, IMAGE_STREAM, type Kind, POD, ROUTE, SERVICE } from './kinds.js';
import { deploymentLabels, selector } from './names.js';
import type { Work } from './work.js';

/** What is deleted, in this order: first what lets requests in; builds and pods follow their owners. */
const OWN: readonly Kind[] = [ROUTE, SERVICE, DEPLOYMENT, BUILD_CONFIG, IMAGE_STREAM];
const LEFT: readonly Kind[] = [...OWN, BUILD, POD];

/** Removes everything that carries the deployment's labels, and waits until it is gone. */
export async function removeDeployment(work: Work, namespace: string, key: DeploymentKey): Promise<void> {
  const { client, settings, call } = work;
  call.step('remove');
  const labels = selector(deploymentLabels(key));
  for (const kind of OWN) {
    const { items } = await client.list<ApiObject>(kind, { namespace, labels }, call.signal);
    for (const item of items) {
      await client.remove(
        kind,
        { metadata: { ...item.metadata, namespace } },
        kind === DEPLOYMENT ? 'Foreground' : 'Background',
        call.signal,
      );
    }
  }
  const end = Date.now() + settings.deleteTimeout;
  for (const kind of LEFT) {
    let names: string[] = [];
    await waitFor<ApiObject, true>(
      client,
      kind,
      { namespace, labels },
      (items) => {
        names = items.map((item) => item.metadata.name);
        return items.length === 0 ? true : undefined;
      },
      {
        limit: Math.max(1000, end - Date.now()),
        signal: call.signal,
        what: () => `${kind.kind} ${names.join(', ')} in project ${namespace} does not go away`,
      },
    );
  }
}
