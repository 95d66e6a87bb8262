import type { Meta, Node, Pod } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { graceSecondsOf, nodeFacts, speakerAddresses } from './members.ts'

function meta(name: string, labels: Meta['labels'] = {}): Meta {
  return {
    namespace: '',
    name,
    uid: '',
    resourceVersion: '',
    generation: 1,
    creationTimestamp: '',
    labels,
    annotations: {},
    deleting: false,
  }
}
const node = (name: string, internalIPs: string[], labels: Meta['labels'] = {}): Node => ({
  meta: meta(name, labels),
  internalIPs,
  ready: true,
  networkUnavailable: name === 'n3',
  unschedulable: name === 'n2',
  outOfService: name === 'n1',
})
const pod = (
  nodeName: string,
  podIPs: string[],
  phase = 'Running',
  { image = 'landfall/speaker:0.1.0', ready = true, graceSeconds = 10 } = {},
): Pod => ({
  meta: meta(`speaker-${nodeName}`),
  nodeName,
  podIPs,
  hostIPs: podIPs,
  images: [image],
  phase,
  ready,
  graceSeconds,
})
const nobody: ReadonlySet<string> = new Set()
const rules = { ignoreExcludeLabel: false, drainOnCordon: false }
const nodes = [node('n2', ['10.0.0.2']), node('n1', ['10.0.0.1', 'fd00::1']), node('n3', ['10.0.0.3'])]

test('speakers are where their pods are, with every address of the node', () => {
  expect(speakerAddresses([pod('n2', ['10.0.0.2']), pod('n1', ['10.0.0.1']), pod('', [])], nodes)).toEqual([
    { node: 'n1', addresses: ['10.0.0.1', 'fd00::1'] },
    { node: 'n2', addresses: ['10.0.0.2'] },
  ])
})

test('a pod that ended is none', () => {
  expect(speakerAddresses([pod('n1', ['10.0.0.1'], 'Failed'), pod('n2', ['10.0.0.2'])], nodes)).toHaveLength(
    1,
  )
})

test('without a pod in sight every node has one', () => {
  expect(speakerAddresses([], nodes).map(({ node }) => node)).toEqual(['n1', 'n2', 'n3'])
})

test('the exclude label counts whatever its value, unless ignored', () => {
  const labelled = [
    node('n1', [], { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }),
    node('n3', []),
  ]
  const none = { networkUnavailable: false, outOfService: false, cordoned: false, foreignSpeaker: false }
  expect([...nodeFacts(labelled, rules, new Set(['n3'])).values()]).toEqual([
    { ...none, outOfService: true, excluded: true },
    { ...none, networkUnavailable: true, excluded: false, foreignSpeaker: true },
  ])
  expect(nodeFacts(labelled, { ...rules, ignoreExcludeLabel: true }, nobody).get('n1')?.excluded).toBe(false)
})

test('cordoned is who is unschedulable, when that is asked for', () => {
  const cordoned = (drainOnCordon: boolean) =>
    [...nodeFacts(nodes, { ...rules, drainOnCordon }, nobody)].flatMap(([name, fact]) =>
      fact.cordoned ? name : [],
    )
  expect([cordoned(false), cordoned(true)]).toEqual([[], ['n2']])
})

test('the grace period is that of the speaker on the node, the shortest of several', () => {
  const pods = [
    pod('n1', [], 'Running', { graceSeconds: 10 }),
    pod('n1', [], 'Running', { graceSeconds: 2 }),
    pod('n1', [], 'Failed', { graceSeconds: 0 }),
    pod('n2', [], 'Running', { graceSeconds: 1 }),
  ]
  expect([graceSecondsOf(pods, 'n1'), graceSecondsOf(pods, 'n3')]).toEqual([2, undefined])
})
