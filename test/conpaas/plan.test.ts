import fc from 'fast-check';
import { layoutOf, planNodes, runsApplication, WEB_LAYOUT } from '../../src/conpaas/manager/plan.js';

interface Node {
  nodeId: string;
  vmid: number;
  roles: string[];
}

const counts = fc
  .record({ proxy: fc.integer({ min: 1, max: 3 }), web: fc.nat(3), backend: fc.nat(3) })
  .filter(({ proxy, web, backend }) => proxy === 1 || (web > 0 && backend > 0));

/** Carries a plan out, wholly or as far as a crash lets it: some nodes made, none removed. */
function carryOut(nodes: Node[], wanted: Record<string, number>, made = Number.POSITIVE_INFINITY): Node[] {
  const plan = planNodes(WEB_LAYOUT, wanted, nodes);
  const next = Math.max(0, ...nodes.map(({ vmid }) => vmid));
  const created = plan.create.slice(0, made).map((roles, index) => {
    const vmid = next + index + 1;
    return { nodeId: `iaas${vmid}`, vmid, roles };
  });
  if (created.length < plan.create.length) return [...nodes, ...created];
  return [...plan.keep.map(({ node, roles }) => ({ ...node, roles })), ...created];
}

const withRole = (nodes: Node[], role: string) => nodes.filter(({ roles }) => roles.includes(role)).length;

test('after a plan there are as many nodes of each role as were asked for, or one that carries it', () => {
  fc.assert(
    fc.property(fc.array(counts, { minLength: 1, maxLength: 6 }), (steps) => {
      let nodes: Node[] = [];
      for (const step of steps) {
        nodes = carryOut(nodes, step);
        for (const role of ['proxy', 'web', 'backend'] as const) {
          expect(withRole(nodes, role)).toBe(Math.max(1, step[role]));
        }
        expect(nodes).toHaveLength(step.proxy + step.web + step.backend);
        expect(nodes.filter(({ roles }) => runsApplication(roles)).length).toBeGreaterThan(0);
      }
    }),
  );
});

test('a plan that is carried out changes nothing the next time', () => {
  fc.assert(
    fc.property(counts, counts, (before, after) => {
      const nodes = carryOut(carryOut([], before), after);
      const plan = planNodes(WEB_LAYOUT, after, nodes);
      expect([plan.create, plan.remove]).toEqual([[], []]);
      for (const { node, roles } of plan.keep) expect(roles).toEqual(node.roles);
    }),
  );
});

test('a plan that was cut off gives its rest', () => {
  fc.assert(
    fc.property(counts, counts, fc.nat(4), (before, after, made) => {
      const start = carryOut([], before);
      const whole = carryOut(start, after);
      const resumed = carryOut(carryOut(start, after, made), after);
      expect(resumed.map(({ roles }) => `${roles}`).sort()).toEqual(whole.map(({ roles }) => `${roles}`).sort());
    }),
  );
});

test('the oldest nodes stay, and what was named goes first', () => {
  const nodes = carryOut([], { proxy: 1, web: 0, backend: 3 });
  const [, second, third, fourth] = nodes;
  const fewer = { proxy: 1, web: 0, backend: 2 };
  expect(planNodes(WEB_LAYOUT, fewer, nodes).remove).toEqual([fourth]);
  expect(planNodes(WEB_LAYOUT, fewer, nodes, [second?.nodeId ?? '']).remove).toEqual([second]);
  expect(planNodes(WEB_LAYOUT, fewer, nodes, [second?.nodeId ?? '']).keep.map(({ node }) => node)).toContain(third);
});

test('a node that is to go although its role needs it is replaced, once', () => {
  const nodes = carryOut([], { proxy: 1, web: 0, backend: 2 });
  const [, second = nodes[0]] = nodes;
  const same = { proxy: 1, web: 0, backend: 2 };
  const plan = planNodes(WEB_LAYOUT, same, nodes, [second?.nodeId ?? '']);
  expect([plan.create, plan.remove]).toEqual([[['backend']], [second]]);
  const newer = { nodeId: 'iaas9', vmid: 9, roles: ['backend'] };
  const rest = planNodes(WEB_LAYOUT, same, [...nodes, newer], [second?.nodeId ?? '']);
  expect([rest.create, rest.remove]).toEqual([[], [second]]);
});

test('the first proxy carries what has no nodes of its own', () => {
  expect(carryOut([], { proxy: 1, web: 0, backend: 0 })).toMatchObject([{ roles: ['proxy', 'web', 'backend'] }]);
  const spread = carryOut([], { proxy: 1, web: 0, backend: 2 });
  expect(spread.map(({ roles }) => roles)).toEqual([['proxy', 'web'], ['backend'], ['backend']]);
  expect(carryOut(spread, { proxy: 1, web: 0, backend: 0 })).toMatchObject([{ roles: ['proxy', 'web', 'backend'] }]);
});

test('services without a proxy have their own first node', () => {
  const generic = layoutOf('generic');
  const plan = planNodes(generic, { node: 3 }, []);
  expect(plan.create).toEqual([['master'], ['node'], ['node']]);
});
