import { chooseNode, unknownNode } from '../../src/domain/nodes.js';
import {
  type AdapterCall,
  AdapterError,
  type EnvironmentReport,
  type EnvironmentSpec,
  type Offer,
} from '../adapter.js';
import type { MemoryPlatform } from './client.js';

export const MEMORY_FLOOR = 64;

export const OFFER: Offer = {
  containers: [
    { name: 'tomcat', versions: ['9', '10.1'] },
    { name: 'jetty', versions: ['12'] },
    { name: 'jboss', versions: ['26'] },
    { name: 'java', versions: ['17', '21'] },
    { name: 'node', versions: ['20', '22'] },
    { name: 'php', versions: ['8.2'] },
    { name: 'python', versions: ['3.12'] },
    { name: 'static', versions: [] },
  ],
  databases: [
    { name: 'mysql', versions: ['8.0'] },
    { name: 'postgresql', versions: ['15', '17'] },
  ],
  services: [],
  memory: { minimum: MEMORY_FLOOR, maximum: 65_536, default: 512 },
  remarks: ['A simulation: applications answer with their name, version and artefact; their code does not run.'],
};

export interface Choices {
  container?: string;
  databases: string[];
  remarks: string[];
}

/** What an environment's nodes mean here. Nothing is made yet, so that an unknown container leaves nothing behind. */
export function chooseNodes(nodes: EnvironmentSpec['nodes']): Choices {
  const choices: Choices = { databases: [], remarks: [] };
  for (const node of nodes) {
    const offered = node.contentType === 'container' ? OFFER.containers : OFFER.databases;
    if (node.contentType !== 'container' && node.contentType !== 'database') {
      choices.remarks.push(`The ${node.contentType} "${node.name}" is not needed here and is ignored.`);
      continue;
    }
    const choice = chooseNode(node, offered);
    if (!choice) throw new AdapterError('rejected', unknownNode(node, offered));
    if (choice.remark) choices.remarks.push(choice.remark);
    if (node.contentType === 'container') choices.container ??= choice.name;
    else choices.databases.push(choice.name);
  }
  return choices;
}

export async function createEnvironment(
  platform: MemoryPlatform,
  environment: EnvironmentSpec,
  call: AdapterCall,
): Promise<EnvironmentReport> {
  const { container, databases, remarks } = chooseNodes(environment.nodes);
  call.step('space');
  const space = await platform.putSpace(
    {
      installation: environment.installation,
      envId: environment.envId,
      name: environment.name,
      databases,
      variables: { ...environment.variables },
      ...(container === undefined ? {} : { container }),
    },
    call.signal,
  );
  for (const database of databases) {
    call.step(database, { text: `making the database ${database}` });
    await platform.work(call.signal);
  }
  return { ref: space.id, remarks };
}
