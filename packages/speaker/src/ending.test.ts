import type { Node } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { type EndingFacts, endingOf } from './ending.ts'

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
