import type { Pod } from '@landfall/kube/model'
import { describe, expect, test } from 'vitest'
import {
  type Answering,
  answerOfNode,
  foreignByPods,
  foreignByPorts,
  ownPod,
  type PortAnswer,
  unknownByPods,
  vouchedByHeartbeats,
} from './foreign-speakers.ts'

const pod = (nodeName: string, image: string, ready = true): Pod => ({
  meta: {
    namespace: 'metallb-system',
    name: `speaker-${nodeName}`,
    uid: `${nodeName} ${image}`,
    resourceVersion: '',
    generation: 1,
    creationTimestamp: '',
    labels: {},
    annotations: {},
    deleting: false,
  },
  nodeName,
  podIPs: [],
  hostIPs: [],
  images: [image],
  phase: 'Running',
  ready,
  graceSeconds: 2,
})

const nobody = { own: undefined, vouched: new Set<string>() }
const mirrored = 'registry.example/metallb/speaker:ours-1'
const nameless = 'registry.example/infra/announcer:1'

test('by pods: a speaker of MetalLB counts while it is ready, one of ours never', () => {
  const pods = [
    pod('n1', 'quay.io/metallb/speaker:v0.15.2'),
    pod('n2', 'registry.example/mirror/metallb-speaker', false),
    pod('n3', 'registry.example/metallb/landfall-speaker:1'),
  ]
  expect([...foreignByPods(pods, nobody)]).toEqual(['n1'])
  expect([...unknownByPods(pods, nobody)]).toEqual([])
})

test("by pods: what runs this speaker's image is ours, whatever it is called", () => {
  const pods = [pod('n1', mirrored), pod('n2', mirrored), pod('n3', 'registry.example/metallb/speaker:v0.13')]
  expect([...foreignByPods(pods, nobody)]).toEqual(['n1', 'n2', 'n3'])
  const marks = { ...nobody, own: ownPod(pods, 'n1', 'speaker-n1') }
  expect([...foreignByPods(pods, marks)]).toEqual(['n3'])
  expect([...foreignByPods(pods, { ...nobody, own: ownPod(pods, 'n1', '') })]).toEqual(['n3'])
})

test('by pods: a name that says nothing is for the port to tell, and those that are not ready do not matter', () => {
  const pods = [pod('n1', nameless), pod('n2', nameless, false), pod('n3', mirrored)]
  expect([...unknownByPods(pods, nobody)]).toEqual(['n1'])
  expect([...unknownByPods(pods, { ...nobody, own: pods[1] })]).toEqual([])
})

test('the own pod is known by its name, or by being alone on its node', () => {
  const [mine, other] = [pod('n1', mirrored), pod('n1', 'quay.io/metallb/speaker:v0.15.2')]
  expect(ownPod([mine, other], 'n1', '')).toBeUndefined()
  expect(ownPod([mine], 'n2', '')).toBeUndefined()
  expect(ownPod([mine, pod('n2', mirrored)], 'n1', '')).toBe(mine)
  expect(ownPod([mine], 'n1', 'another')).toBeUndefined()
})

describe('by heartbeats', () => {
  const vouched = (
    pods: readonly Pod[],
    state: 'joining' | 'serving' | 'leaving' | 'dead' | 'left' | 'unwatched',
    before: readonly string[] = [],
  ) => [...vouchedByHeartbeats(new Set(before), pods, [{ node: 'n1', state }])]
  const [ready, fresh] = [pod('n1', mirrored), pod('n1', mirrored, false)]
  const uid = ready.meta.uid

  test('a pod is ours that is ready and alone on a node that is heard, or joins', () => {
    for (const state of ['joining', 'serving', 'leaving'] as const)
      expect(vouched([ready], state)).toEqual([uid])
    expect(vouched([fresh], 'joining')).toEqual([uid])
    expect([...foreignByPods([ready], { ...nobody, vouched: new Set([uid]) })]).toEqual([])
  })

  test('one that is not ready may follow upon another, and of two it is not known which was heard', () => {
    expect(vouched([fresh], 'serving')).toEqual([])
    const both = [ready, pod('n1', 'quay.io/metallb/speaker:v0.15.2')]
    for (const state of ['joining', 'serving'] as const) expect(vouched(both, state)).toEqual([])
  })

  test('who was heard once stays ours, cut off or not, until its pod is gone', () => {
    for (const state of ['dead', 'left', 'unwatched'] as const) {
      expect(vouched([ready], state)).toEqual([])
      expect(vouched([ready], state, [uid])).toEqual([uid])
    }
    expect(vouched([pod('n1', 'quay.io/metallb/speaker:v0.15.2')], 'dead', [uid])).toEqual([])
  })
})

/** What is known after rounds, each written as the answers of n1, n2, …: o open, r refused, s silent. */
function after(...rounds: readonly string[]): readonly string[] {
  const words: Readonly<Record<string, PortAnswer>> = { o: 'open', r: 'refused', s: 'silent' }
  let known: Answering = new Map()
  for (const round of rounds)
    known = foreignByPorts(
      known,
      new Map(round.split('').map((letter, i) => [`n${i + 1}`, words[letter] ?? 'silent'])),
    )
  return [...known.keys()]
}

test('by ports: who answers counts, at once and until it is refused', () => {
  expect(after('ors')).toEqual(['n1'])
  expect(after('orr', 'rrr')).toEqual([])
  expect(after('rrr', 'oro')).toEqual(['n1', 'n3'])
})

test('by ports: a node that falls silent counts for two rounds more, and then is gone', () => {
  expect(after('o', 's', 's')).toEqual(['n1'])
  expect(after('o', 's', 's', 's')).toEqual([])
  expect(after('o', 's', 's', 'o', 's', 's')).toEqual(['n1'])
  expect(after('s', 's')).toEqual([])
})

test('by ports: a node that is not asked any more is none', () => {
  expect(after('oo', 'o')).toEqual(['n1'])
})

test('of the addresses of one node, one that is open decides, then one that refuses', () => {
  expect(answerOfNode(['refused', 'open', 'silent'])).toBe('open')
  expect(answerOfNode(['silent', 'refused'])).toBe('refused')
  expect(answerOfNode([])).toBe('silent')
})
