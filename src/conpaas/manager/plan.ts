import type { ConpaasNode, RoleCounts, ServiceType } from '../../domain/conpaas.js';

/** Who carries which role. `packed`: what has no nodes of its own is carried by the first proxy. */
export type Layout =
  | { kind: 'packed'; first: string; packed: readonly string[] }
  /** The first node has another role than the rest, or the same. */
  | { kind: 'plain'; first: string; rest: string };

export const WEB_LAYOUT: Layout = { kind: 'packed', first: 'proxy', packed: ['web', 'backend'] };

export function layoutOf(type: ServiceType): Layout {
  if (type === 'generic') return { kind: 'plain', first: 'master', rest: 'node' };
  if (type === 'mysql') return { kind: 'plain', first: 'node', rest: 'node' };
  if (type === 'helloworld') return { kind: 'plain', first: 'helloworld', rest: 'helloworld' };
  return WEB_LAYOUT;
}

/** Whether the nodes of a stopped service wait for its next start, without agents, because of what they hold. */
export function keepsData(type: ServiceType): boolean {
  return type === 'mysql';
}

/** A node that waits carries no role, costs nothing and is not shown. */
export function isResting({ roles }: Pick<ConpaasNode, 'roles'>): boolean {
  return roles.length === 0;
}

/** A service begins with one node that carries everything. */
export function firstCounts(layout: Layout): RoleCounts {
  return layout.kind === 'packed' ? { [layout.first]: 1, web: 0, backend: 0 } : { node: 1 };
}

type Planned = Pick<ConpaasNode, 'nodeId' | 'vmid' | 'roles'>;

export interface Plan<N extends Planned = ConpaasNode> {
  /** Existing nodes with the roles that they shall have. */
  keep: { node: N; roles: string[] }[];
  /** Roles of nodes that are missing. */
  create: string[][];
  remove: N[];
}

/**
 * Fits nodes to counts: the oldest of each role stay, those in `unwanted` go, replaced where the counts need them. The same nodes and counts always give the same
 * plan, and a plan that was carried out half gives the rest of it.
 */
export function planNodes<N extends Planned>(
  layout: Layout,
  counts: RoleCounts,
  nodes: readonly N[],
  unwanted: readonly string[] = [],
): Plan<N> {
  const wanted = wantedRoles(layout, counts);
  const left = nodes.filter(({ nodeId }) => !unwanted.includes(nodeId)).sort((a, b) => a.vmid - b.vmid);
  const plan: Plan<N> = { keep: [], create: [], remove: [] };
  for (const roles of wanted) {
    const index = left.findIndex((node) => mainRole(layout, node.roles) === mainRole(layout, roles));
    const [node] = index < 0 ? [] : left.splice(index, 1);
    if (node) plan.keep.push({ node, roles });
    else plan.create.push(roles);
  }
  plan.remove = [...left, ...nodes.filter(({ nodeId }) => unwanted.includes(nodeId))];
  return plan;
}

/** The roles of each node of a service, first node first. */
function wantedRoles(layout: Layout, counts: RoleCounts): string[][] {
  if (layout.kind === 'plain') {
    return Array.from({ length: counts['node'] ?? 1 }, (_, index) => [index === 0 ? layout.first : layout.rest]);
  }
  const packed = layout.packed.filter((role) => (counts[role] ?? 0) === 0);
  const firsts = Array.from({ length: counts[layout.first] ?? 1 }, (_, index) =>
    index === 0 ? [layout.first, ...packed] : [layout.first],
  );
  const others = layout.packed.flatMap((role) => Array.from({ length: counts[role] ?? 0 }, () => [role]));
  return [...firsts, ...others];
}

/** What a node is for its life: a proxy stays one, whatever else it carries. Plain nodes differ by their place alone. */
function mainRole(layout: Layout, roles: readonly string[]): string {
  return layout.kind === 'plain' ? 'any' : roles.includes(layout.first) ? layout.first : (roles[0] ?? '');
}

/** Whether a node of these roles runs the application. A web node of its own does; the web role of a packed proxy does not. */
export function runsApplication(roles: readonly string[]): boolean {
  return roles.includes('backend') || (roles.includes('web') && !roles.includes('proxy'));
}
