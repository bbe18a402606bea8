import fc from 'fast-check';
import type { Deployment, Pod } from '../../adapters/openshift/api-objects.js';
import {
  deploymentLabels,
  environmentOf,
  keyOf,
  projectName,
  routeName,
  slug,
} from '../../adapters/openshift/names.js';
import { deploymentState, podTrouble } from '../../adapters/openshift/states.js';

const LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const id = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const installation = fc.stringMatching(/^[a-z][a-z0-9]{7}$/);
const prefix = fc.stringMatching(/^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$/);

describe('names', () => {
  test('are DNS labels whatever the application is called, also together as the cluster puts them', () => {
    fc.assert(
      fc.property(
        prefix,
        installation,
        id,
        id,
        fc.integer({ min: 1, max: 999 }),
        fc.string({ unit: 'grapheme' }),
        (start, own, appId, envId, instanceId, title) => {
          const key = { installation: own, appId, envId, instanceId };
          const project = projectName(start, key);
          const route = routeName(key, title, project);
          expect(project).toMatch(LABEL);
          expect(route).toMatch(LABEL);
          expect(`${route}-${project}`).toMatch(LABEL);
          expect(environmentOf(start, own, project)).toBe(envId);
          expect(routeName(key, title, project)).toBe(route);
        },
      ),
    );
  });

  test('of two installations, environments, applications or instances differ', () => {
    const key = fc.record({ installation, appId: id, envId: id, instanceId: fc.integer({ min: 1, max: 999 }) });
    fc.assert(
      fc.property(key, key, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        const whole = (one: typeof a) =>
          `${projectName('coaps', one)}/${routeName(one, 'Shop', projectName('coaps', one))}`;
        expect(whole(a)).not.toBe(whole(b));
      }),
    );
  });

  test('labels hold the key, and nothing else is taken for one', () => {
    fc.assert(
      fc.property(installation, id, id, id, (own, appId, envId, instanceId) => {
        const key = { installation: own, appId, envId, instanceId };
        expect(keyOf({ name: 'x', labels: deploymentLabels(key) })).toEqual(key);
      }),
    );
    expect(keyOf({ name: 'x', labels: { 'coaps.gateway/installation': 'abcdefgh' } })).toBeUndefined();
    expect(environmentOf('coaps', 'abcdefgh', 'coaps-abcdefgh-e1-test')).toBeUndefined();
    expect(environmentOf('coaps', 'abcdefgh', 'coaps-abcdefgi-e1')).toBeUndefined();
  });

  test.each([
    ['Pet Clinic', 'pet-clinic'],
    ['Éléphant 2', 'elephant-2'],
    ['42', ''],
    ['-- a --', 'a'],
    ['日本', ''],
  ])('%j is %j in an address', (title, word) => {
    expect(slug(title)).toBe(word);
  });
});

const deployment = (replicas: number, status: Deployment['status'], generation = 1): Deployment => ({
  metadata: { name: 'a1-i1', generation },
  spec: { replicas },
  status: { observedGeneration: 1, ...status },
});
const pod = (status: NonNullable<Pod['status']>): Pod => ({ metadata: { name: 'a1-i1-x' }, status });
const waiting = (reason: string, restartCount = 0, message?: string): Pod =>
  pod({
    phase: 'Pending',
    containerStatuses: [
      { name: 'application', restartCount, state: { waiting: { reason, ...(message ? { message } : {}) } } },
    ],
  });
const late = { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] };
const up = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };

describe('states', () => {
  const seen: [string, Deployment, Pod[], string, RegExp?][] = [
    ['nothing wanted, nothing there', deployment(0, {}), [], 'STOPPED'],
    ['nothing wanted, a process still ends', deployment(0, {}), [pod({ phase: 'Running' })], 'STOPPING'],
    ['nothing wanted, an ended pod is still listed', deployment(0, {}), [pod({ phase: 'Succeeded' })], 'STOPPED'],
    ['all that is wanted is available', deployment(2, up), [], 'STARTED'],
    ['one of two is available', deployment(2, { ...up, availableReplicas: 1 }), [], 'STARTING'],
    ['the controller has not looked yet', deployment(2, {}, 2), [], 'STARTING'],
    [
      'an old version serves beside a new one that fails',
      deployment(2, { ...up, replicas: 3, updatedReplicas: 1 }),
      [waiting('ImagePullBackOff')],
      'STARTED',
    ],
    [
      'being deleted',
      { ...deployment(2, up), metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      [],
      'STOPPING',
    ],
    [
      'an image that cannot be pulled',
      deployment(1, {}),
      [waiting('ImagePullBackOff', 0, 'not found')],
      'FAILED',
      /ImagePullBackOff: not found/,
    ],
    ['the first failure to pull may pass', deployment(1, {}), [waiting('ErrImagePull')], 'STARTING'],
    [
      'a missing secret',
      deployment(1, {}),
      [waiting('CreateContainerConfigError', 0, 'secret "x" not found')],
      'FAILED',
      /secret "x"/,
    ],
    ['the first crash may pass', deployment(1, {}), [waiting('CrashLoopBackOff', 1)], 'STARTING'],
    ['a crash loop', deployment(1, {}), [waiting('CrashLoopBackOff', 2)], 'FAILED', /CrashLoopBackOff/],
    [
      'no room, yet',
      deployment(1, {}),
      [
        pod({
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no memory' }],
        }),
      ],
      'STARTING',
    ],
    [
      'no room for too long',
      deployment(1, late),
      [
        pod({
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no memory' }],
        }),
      ],
      'FAILED',
      /Unschedulable: no memory/,
    ],
    [
      'quota',
      deployment(1, {
        conditions: [...late.conditions, { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: small' }],
      }),
      [],
      'FAILED',
      /exceeded quota/,
    ],
    ['not ready in time, nobody knows why', deployment(1, late), [], 'FAILED', /in time/],
  ];

  test.each(seen.map((row) => ({ title: row[0], row })))('$title', ({ row: [, object, pods, state, reason] }) => {
    const told = deploymentState(object, pods);
    expect(told.state).toBe(state);
    if (reason) expect(told.reason).toMatch(reason);
    else expect(told.reason).toBeUndefined();
  });

  test('a killed process says by what, with its restarts', () => {
    const status = {
      name: 'application',
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
    };
    expect(podTrouble(pod({ phase: 'Running', containerStatuses: [status] }))).toEqual({
      text: 'CrashLoopBackOff: the process exited with status 137 (OOMKilled), 3 restarts',
      final: true,
      log: { pod: 'a1-i1-x', container: 'application', previous: true },
    });
  });
});
