/**
 * Nodes on which a speaker of MetalLB announces whatever it is eligible for (pure). Its pods tell, as far as it can be
 * told whose they are: images are mirrored under any name. Where pods may not be listed, and of pods whose kind nothing
 * tells, whether something answers on memberlist's TCP port, which Landfall's speakers do not listen on.
 */
import type { Pod } from '@landfall/kube/model'
import type { Member } from '../layer2/core/membership.ts'

/** What tells Landfall's own pods, whatever their image is called. */
export interface Marks {
  /** The pod of this speaker; undefined: it is not known. */
  readonly own: Pod | undefined
  /** By uid: pods whose heartbeats were heard. */
  readonly vouched: ReadonlySet<string>
}

type Kind = 'ours' | 'foreign' | 'unknown'

/** It counts until it is no longer ready, its last moments included: until then it answers. */
export function foreignByPods(speakers: readonly Pod[], marks: Marks): ReadonlySet<string> {
  return nodesOf('foreign', speakers, marks)
}

/** Where the port of memberlist has to tell. */
export function unknownByPods(speakers: readonly Pod[], marks: Marks): ReadonlySet<string> {
  return nodesOf('unknown', speakers, marks)
}

function nodesOf(kind: Kind, speakers: readonly Pod[], marks: Marks): ReadonlySet<string> {
  const those = speakers.filter((pod) => pod.ready && kindOf(pod, marks) === kind)
  return new Set(those.map(({ nodeName }) => nodeName))
}

function kindOf({ meta, images }: Pod, { own, vouched }: Marks): Kind {
  if (meta.uid === own?.meta.uid || vouched.has(meta.uid)) return 'ours'
  if (images.join() === own?.images.join() || images.some((image) => /landfall/i.test(image))) return 'ours'
  return images.some((image) => /metallb/i.test(image)) ? 'foreign' : 'unknown'
}

/** @param podName '': not known; then it is the only one of its node */
export function ownPod(speakers: readonly Pod[], node: string, podName: string): Pod | undefined {
  const here = speakers.filter(({ nodeName }) => nodeName === node)
  return podName === '' ? only(here) : here.find(({ meta }) => meta.name === podName)
}

/**
 * Pods that are Landfall's by their heartbeats, by uid: for as long as they are there, since one that is cut off is
 * ours no less. One that is not ready yet may follow upon another whose heartbeats were the last: it has to join.
 */
export function vouchedByHeartbeats(
  before: ReadonlySet<string>,
  speakers: readonly Pod[],
  members: readonly Pick<Member, 'node' | 'state'>[],
): ReadonlySet<string> {
  const states = new Map(members.map(({ node, state }) => [node, state]))
  const found = new Set<string>()
  for (const [node, here] of Map.groupBy(speakers, ({ nodeName }) => nodeName)) {
    const [state, pod] = [states.get(node), only(here)]
    const isHeard = state === 'joining' || (isAtWork(state) && pod?.ready === true)
    if (pod !== undefined && isHeard) found.add(pod.meta.uid)
  }
  return new Set(speakers.map(({ meta }) => meta.uid).filter((uid) => before.has(uid) || found.has(uid)))
}

function isAtWork(state: Member['state'] | undefined): boolean {
  return state === 'serving' || state === 'leaving'
}

function only(pods: readonly Pod[]): Pod | undefined {
  return pods.length === 1 ? pods[0] : undefined
}

/** What a node's port said: somebody listens; nobody does; nothing came, as from a node that is gone. */
export type PortAnswer = 'open' | 'refused' | 'silent'

/** In a row, until a node counts as gone, and its speaker with it. */
export const mostSilences = 3

/** By node with a foreign speaker: how often in a row it has been silent. */
export type Answering = ReadonlyMap<string, number>

/** @param answers of one round; a node that is not in it is none any more */
export function foreignByPorts(before: Answering, answers: ReadonlyMap<string, PortAnswer>): Answering {
  const now = new Map<string, number>()
  for (const [node, answer] of answers) {
    const silences = (before.get(node) ?? mostSilences) + 1
    if (answer === 'open') now.set(node, 0)
    else if (answer === 'silent' && silences < mostSilences) now.set(node, silences)
  }
  return now
}

/** One address of a node may be bound, and the others not. */
export function answerOfNode(answers: readonly PortAnswer[]): PortAnswer {
  if (answers.includes('open')) return 'open'
  return answers.includes('refused') ? 'refused' : 'silent'
}
