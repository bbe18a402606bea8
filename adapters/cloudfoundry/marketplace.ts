import type { EnvironmentNode, OfferedNode } from '../../src/domain/model.js';
import { knownWord } from '../../src/domain/nodes.js';
import { AdapterError } from '../adapter.js';
import type { Foundry } from './client.js';
import { read, type ServiceOffering, type ServicePlan } from './resources.js';
import type { ServiceChoice } from './settings.js';

export interface ChosenPlan {
  plan: ServicePlan;
  offering: string;
  parameters?: Readonly<Record<string, unknown>>;
  remarks: string[];
}

/** What the space may take from the marketplace. */
export async function offeringsOf({ cc, target }: Foundry, signal: AbortSignal): Promise<ServiceOffering[]> {
  const { spaceGuid } = await target(signal);
  const query = { space_guids: spaceGuid, available: true };
  return await cc.list('/v3/service_offerings', read.serviceOffering, signal, query);
}

/** Offerings under the words that nodes are called by: the configured ones, then those whose name or tags hold a known word. */
export function offeredServices(offerings: readonly ServiceOffering[], foundry: Foundry): OfferedNode[] {
  const configured = Object.entries(foundry.settings.services)
    .filter(([, choice]) => choice !== 'none')
    .map(([word]) => word);
  const known = offerings.map(wordOf).filter((word) => word !== undefined);
  return [...new Set([...configured, ...known])].map((name) => ({ name, versions: [] }));
}

/** Offerings that are no known database. */
export function otherOfferings(offerings: readonly ServiceOffering[]): OfferedNode[] {
  return offerings.filter((one) => wordOf(one) === undefined).map(({ name }) => ({ name, versions: [] }));
}

/** Undefined: the configuration leaves such nodes out. Throws `rejected` with what there is. */
export async function choosePlan(
  foundry: Foundry,
  node: EnvironmentNode,
  offerings: readonly ServiceOffering[],
  signal: AbortSignal,
): Promise<ChosenPlan | undefined> {
  const choice = configuredFor(node, foundry);
  if (choice === 'none') return undefined;
  const offering = offeringFor(node, choice, offerings);
  if (!offering) throw new AdapterError('rejected', noOffering(node, choice, offerings));
  const { spaceGuid } = await foundry.target(signal);
  const query = { service_offering_guids: offering.guid, space_guids: spaceGuid, available: true };
  const plans = await foundry.cc.list('/v3/service_plans', read.servicePlan, signal, query);
  const remarks = node.version
    ? [`The version of ${node.name} is the service's; ${node.version} cannot be chosen.`]
    : [];
  return {
    ...choosePlanOf(offering, plans, choice, remarks),
    offering: offering.name,
    ...(choice?.parameters ? { parameters: choice.parameters } : {}),
    remarks,
  };
}

function configuredFor({ name }: EnvironmentNode, { settings }: Foundry): ServiceChoice | 'none' | undefined {
  const lower = name.toLowerCase();
  const word = knownWord(name);
  const found = Object.keys(settings.services).find(
    (one) => lower.includes(one) || (word !== undefined && knownWord(one) === word),
  );
  return found === undefined ? undefined : settings.services[found];
}

function offeringFor(
  node: EnvironmentNode,
  choice: ServiceChoice | undefined,
  offerings: readonly ServiceOffering[],
): ServiceOffering | undefined {
  if (choice) return offerings.find((one) => one.name === choice.offering);
  const exact = offerings.find((one) => one.name.toLowerCase() === node.name.toLowerCase());
  const word = knownWord(node.name);
  return exact ?? (word === undefined ? undefined : offerings.find((one) => wordOf(one) === word));
}

/** The configured plan, else the only one, else the first that costs nothing. */
function choosePlanOf(
  offering: ServiceOffering,
  plans: readonly ServicePlan[],
  choice: ServiceChoice | undefined,
  remarks: string[],
): { plan: ServicePlan } {
  const names = plans.map((plan) => `${plan.name}${plan.free ? ' (free)' : ''}`).join(', ') || 'none';
  if (choice?.plan !== undefined) {
    const plan = plans.find((one) => one.name === choice.plan);
    if (plan) return { plan };
    throw new AdapterError(
      'rejected',
      `The offering ${offering.name} has no plan "${choice.plan}" for this space. There is: ${names}.`,
    );
  }
  const plan = plans.length === 1 ? plans[0] : plans.find(({ free }) => free);
  if (!plan)
    throw new AdapterError(
      'rejected',
      `Which plan of ${offering.name}? Name one in the option "services". There is: ${names}.`,
    );
  if (plans.length > 1) remarks.push(`${offering.name} has several plans; the free plan ${plan.name} is taken.`);
  return { plan };
}

function wordOf({ name, tags }: ServiceOffering): string | undefined {
  for (const text of [name, ...(tags ?? [])]) {
    const word = knownWord(text);
    if (word !== undefined) return word;
  }
  return undefined;
}

function noOffering(
  node: EnvironmentNode,
  choice: ServiceChoice | undefined,
  offerings: readonly ServiceOffering[],
): string {
  const names = offerings.map((one) => one.name).join(', ') || 'none';
  const missing = choice ? `the offering "${choice.offering}" for it is not available` : 'no offering is known for it';
  return `The ${node.contentType} "${node.name}" cannot be made: ${missing} in this space. There is: ${names}. The option "services" maps names to offerings, or to none.`;
}
