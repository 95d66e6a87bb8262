import { ApiError } from '@landfall/kube'
import type { Node } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { daemonSetStands, drainOf, type EndingFacts, endingOf, lingerOf } from './ending.ts'

const node: Node = {
  meta: {
    namespace: '',
    name: 'n1',
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    deleting: false,
  },
  internalIPs: [],
  ready: true,
  networkUnavailable: false,
  unschedulable: false,
  outOfService: false,
}
const facts: EndingFacts = { node, excluded: false, daemonSet: true }

test('a node that goes on to serve gets another speaker', () => {
  expect(endingOf(facts)).toEqual({ kind: 'restart' })
})

test.each([
  ['nodeGone', { node: undefined }],
  ['nodeGone', { node: { ...node, meta: { ...node.meta, deleting: true } } }],
  ['nodeUnschedulable', { node: { ...node, unschedulable: true } }],
  ['nodeLabeledExcludeBalancers', { excluded: true }],
  ['nodeNetworkUnavailable', { node: { ...node, networkUnavailable: true } }],
  ['noDaemonSet', { daemonSet: false }],
] as const)('leaving: %s', (reason, more) => {
  expect(endingOf({ ...facts, ...more })).toEqual({ kind: 'leaving', reason })
})

test.each([
  ['ours: 10 s', 250, 10, 1000],
  ["Kubernetes' own: 30 s", 1, 30, 1000],
  ['not known', 250, undefined, 1000],
  ['long enough for all', 250, 3, 1000],
  ["MetalLB's manifest: 2 s", 250, 2, 0],
  ["MetalLB's chart: 0", 250, 0, 0],
  ['nobody took anything', 0, 30, 0],
] as const)('lingers, %s', (_, handedOver, graceSeconds, ms) => {
  expect(lingerOf(handedOver, graceSeconds)).toBe(ms)
})

test.each([
  ['ours: 10 s', 1000, 10, 1000],
  ['more than there is time for', 20_000, 10, 8500],
  ['not known', 20_000, undefined, 20_000],
  ["MetalLB's manifest: 2 s", 1000, 2, 500],
  ["MetalLB's chart: 0", 1000, 0, 0],
] as const)('drains, %s', (_, drainMs, graceSeconds, ms) => {
  expect(drainOf(drainMs, graceSeconds)).toBe(ms)
})

const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'speaker', uid: 'u' }
const never = new Promise<never>(() => {})
const raw = (metadata: object) => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'speaker', ...metadata },
})
const failed = (status: number) => Promise.reject(new ApiError('GET', status, '', 'no'))

type Asked = Parameters<typeof daemonSetStands>
test.each<[string, Asked[2], Asked[0]['get'], boolean]>([
  ['is there', async () => owner, async () => raw({}), true],
  ['is going', async () => owner, async () => raw({ deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
  ['is gone', async () => owner, () => failed(404), false],
  ['may not be read', async () => owner, () => failed(403), true],
  ['cannot be asked for', async () => owner, () => never, true],
  ['is not known, as nobody answers', () => never, () => never, true],
  [
    'is not known, as the API server is away',
    () => Promise.reject(new Error('ECONNREFUSED')),
    () => never,
    true,
  ],
  ['is none', async () => undefined, () => never, false],
])('whether the DaemonSet stands: it %s', async (_, findOwner, get, stands) => {
  expect(await daemonSetStands({ get }, 'metallb-system', findOwner)).toBe(stands)
})
