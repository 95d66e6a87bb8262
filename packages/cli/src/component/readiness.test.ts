import { expect, test } from 'vitest'
import { podTrouble, readinessOf } from './readiness.ts'

const object = (spec: object, status: object, generation = 2) => ({
  metadata: { name: 'x', generation },
  spec,
  status,
})

test.each([
  ['Deployment', { replicas: 2 }, {}, 'nobody has looked at it yet'],
  [
    'Deployment',
    { replicas: 2 },
    { observedGeneration: 1, availableReplicas: 2, updatedReplicas: 2 },
    'nobody has looked at it yet',
  ],
  [
    'Deployment',
    { replicas: 2 },
    { observedGeneration: 2, availableReplicas: 2, updatedReplicas: 1 },
    '1 of 2 available',
  ],
  [
    'Deployment',
    { replicas: 2 },
    { observedGeneration: 2, availableReplicas: 2, updatedReplicas: 2, replicas: 3 },
    '1 of the old ones still there',
  ],
  [
    'DaemonSet',
    {},
    { observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 1 },
    '1 of 3 available',
  ],
  ['Job', {}, {}, 'not complete'],
  ['Job', {}, { failed: 2 }, 'not complete, failed 2 times'],
])('a %s %j with %j is waited for', (kind, spec, status, what) => {
  expect(readinessOf(kind, object(spec, status))).toEqual({ kind: 'waiting', what })
})

test.each([
  [
    'Deployment',
    { replicas: 2 },
    { observedGeneration: 2, availableReplicas: 2, updatedReplicas: 2, replicas: 2 },
  ],
  [
    'DaemonSet',
    {},
    { observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 },
  ],
  ['Job', {}, { conditions: [{ type: 'Complete', status: 'True' }] }],
  ['Service', {}, {}],
])('a %s %j with %j is ready', (kind, spec, status) => {
  expect(readinessOf(kind, object(spec, status))).toEqual({ kind: 'ready' })
})

test('a DaemonSet that no node is for is ready, with a word about it', () => {
  expect(readinessOf('DaemonSet', object({}, { observedGeneration: 2 }))).toEqual({
    kind: 'ready',
    note: 'no node is eligible: look at its nodeSelector and tolerations',
  })
})

test('a Job that has failed is not waited for', () => {
  const conditions = [{ type: 'Failed', status: 'True', message: 'has reached the backoff limit' }]
  expect(readinessOf('Job', object({}, { conditions }))).toEqual({
    kind: 'failed',
    what: 'has reached the backoff limit',
  })
})

test.each([
  [
    { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }] },
    '0/3 nodes are available',
  ],
  [
    {
      containerStatuses: [
        { name: 'a', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
      ],
    },
    'container a: ImagePullBackOff: no such image',
  ],
  [
    { initContainerStatuses: [{ name: 'b', state: { terminated: { reason: 'Error' } } }] },
    'container b: Error',
  ],
  [{ containerStatuses: [{ name: 'a', ready: true, state: { running: {} } }] }, undefined],
  [
    { initContainerStatuses: [{ name: 'b', ready: true, state: { terminated: { reason: 'Completed' } } }] },
    undefined,
  ],
])('a pod with %j says %s', (status, trouble) => {
  expect(podTrouble({ metadata: { name: 'p' }, status })).toBe(trouble)
})
