import type { Node } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { type EndingFacts, endingOf, lingerOf } from './ending.ts'

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
