/**
 * Speakers on a virtual LAN over virtual time, with chance by seed: messages are delayed and lost, processes freeze,
 * die, restart and leave, the LAN falls apart and heals. An observer sees at each instant who would answer for what,
 * and notes whatever must never be.
 */

import { Random } from '../../random.ts'
import { keyOfBytes } from '../codec/ethernet.ts'
import { encodeMessage, type Header, type Timing } from '../codec/message.ts'
import type { PartitionPolicy } from '../core/fence.ts'
import type { Outgoing } from '../core/outcome.ts'
import type { Candidate } from '../core/placement.ts'
import type { PlannedAddress } from '../core/plan.ts'
import { deadlinesOf } from '../core/timing.ts'
import { EventQueue } from './event-queue.ts'
import { Observer } from './observer.ts'
import { VirtualNode } from './virtual-node.ts'

/** Rules that a run breaks on purpose, to see that the observer notices. */
export type Broken =
  /** The packet path does not ask whether the right is fresh. */
  | 'noFence'
  /** Rights last twice as long as others are told. */
  | 'earlyTakeover'
  /** Whoever returns has all spread anew. */
  | 'noStickiness'
  /** An owner confirms before it is silent. */
  | 'lateRelease'
  /** The coordinator sees a preference where there is none. */
  | 'unevenPlacement'
  /** Nobody tells others who coordinates whom they do not hear. */
  | 'noHearsay'

export interface World {
  readonly nodes: number
  readonly addresses: number
  readonly timing: Timing
  readonly partition: PartitionPolicy
  readonly loss: number
  readonly delayMs: readonly [number, number]
}

/** Of one switch, with the default settings. */
export const lan = {
  timing: { intervalMs: 100, misses: 6 },
  partition: 'serve',
  loss: 0,
  delayMs: [0.1, 0.6],
} as const satisfies Partial<World>

/** How late a node hears of what is desired. */
const noticeMs = 60

export class Simulation {
  readonly queue = new EventQueue()
  readonly random: Random
  readonly world: World
  readonly nodes: readonly VirtualNode[]
  readonly observer: Observer
  readonly desired: PlannedAddress[] = []
  readonly #broken: Broken | undefined
  readonly candidates: readonly Candidate[]
  readonly #sides = new Map<string, number>()
  /** Nodes that the others do not know of. */
  readonly #unlisted = new Set<string>()
  /** Pairs of nodes that do not hear each other, although they are of one side. */
  readonly #cut = new Set<string>()
  /** Who is there, while links are cut: others hear each other by way of them. */
  #relays = ''
  /** Messages and bytes that each node sent, with UDP and IPv4 headers. */
  readonly traffic = new Map<string, { messages: number; bytes: number }>()
  measuresTraffic = false
  /** Around each turn of a node's core; replaced by who measures them. */
  turn = (_what: string, act: () => void): void => act()

  constructor(seed: number, world: World, broken?: Broken) {
    this.random = new Random(seed)
    this.world = world
    this.#broken = broken
    const names = Array.from({ length: world.nodes }, (_, i) => nameOf(i))
    const candidates = names.map((node) => ({ node, weight: 0 }))
    this.candidates = candidates
    for (let i = 0; i < world.addresses; i++) this.desired.push({ key: keyOf(i), unit: `u${i}`, candidates })
    const wrong = names.map((node, i) => ({ node, weight: i === 0 ? 1 : 0 }))
    const given = (): readonly PlannedAddress[] =>
      broken === 'unevenPlacement'
        ? this.desired.map((address) => ({ ...address, candidates: wrong }))
        : this.desired
    const { timing, partition } = world
    const real = broken === 'earlyTakeover' ? { ...timing, misses: timing.misses * 2 } : timing
    this.nodes = names.map(
      (node) =>
        new VirtualNode(
          { node, timing: real, partition, preferAfterMs: undefined, rebalanceMs: 0 },
          {
            queue: this.queue,
            turn: (what, act) => this.turn(what, act),
            send: (from, message) => this.#send(from, message),
            changed: (one) => {
              this.#noteRelays()
              this.observer.look(one)
            },
            desired: given,
            peers: () =>
              names
                .filter((name) => !this.#unlisted.has(name) || name === node || this.#unlisted.has(node))
                .map((name) => ({ node: name, addresses: [name] })),
          },
        ),
    )
    const deadlines = deadlinesOf(timing, partition === 'fence')
    this.observer = new Observer(this.queue, this.nodes, this.desired, deadlines, (a, b) =>
      this.connected(a, b),
    )
    this.observer.fences = partition === 'fence'
    this.observer.asksFence = broken !== 'noFence'
    this.observer.releaseLagMs = broken === 'lateRelease' ? 30 : 0
    this.#sample()
  }

  node(name: string): VirtualNode {
    const found = this.nodes.find((one) => one.name === name)
    if (found === undefined) throw new RangeError(`no node ${name}`)
    return found
  }

  start(node: VirtualNode): void {
    node.start(this.random.between(0, this.world.timing.intervalMs))
    if (this.#broken === 'noStickiness')
      this.queue.at(this.queue.now + 1500, () => {
        for (const one of this.nodes) one.act((core) => core.rebalance())
      })
  }

  /** What is desired of an address is another thing now; each node hears of it in its own time. */
  desire(address: PlannedAddress): void {
    const found = this.desired.findIndex(({ key }) => key === address.key)
    const index = found === -1 ? this.desired.length : found
    this.desired[index] = address
    this.observer.desires(address.key)
    for (const node of this.nodes)
      this.queue.at(this.queue.now + this.random.between(0, noticeMs), () => {
        const newest = this.desired[index]
        if (newest !== undefined) node.desire(newest)
      })
  }

  /** Whether the others know of the node. */
  list(node: string, listed: boolean): void {
    if (listed) this.#unlisted.delete(node)
    else this.#unlisted.add(node)
    for (const one of this.nodes) one.listPeers()
  }

  /** Each node's side; equal numbers hear each other. */
  split(sideOf: (node: string, index: number) => number): void {
    for (const [index, { name }] of this.nodes.entries()) this.#sides.set(name, sideOf(name, index))
    this.observer.partitioned()
  }

  /** Two nodes that do not hear each other any more, whatever others hear. */
  cut(a: string, b: string): void {
    this.#cut.add(pairOf(a, b))
    this.observer.cut = true
    this.observer.partitioned()
  }

  heal(): void {
    this.#sides.clear()
    this.#cut.clear()
    this.observer.cut = false
    this.observer.healed()
  }

  /** Whether the two hear each other, be it by way of others. */
  connected(a: string, b: string): boolean {
    if (this.#cut.size === 0) return this.#hears(a, b)
    const reached = new Set([a])
    for (const one of reached) {
      if (one !== a && !this.node(one).running) continue
      for (const { name } of this.nodes) if (this.#hears(one, name)) reached.add(name)
    }
    return reached.has(b)
  }

  /** With one who comes or goes others are one side, or two. */
  #noteRelays(): void {
    if (this.#cut.size === 0) return
    const relays = this.nodes.filter((node) => node.running).map(({ name }) => name)
    if (relays.join() !== this.#relays) this.observer.healed()
    this.#relays = relays.join()
  }

  #hears(a: string, b: string): boolean {
    return (this.#sides.get(a) ?? 0) === (this.#sides.get(b) ?? 0) && !this.#cut.has(pairOf(a, b))
  }

  run(ms: number): void {
    this.queue.runUntil(this.queue.now + ms)
  }

  #sample(): void {
    this.observer.sample()
    this.queue.at(this.queue.now + 50, () => this.#sample())
  }

  #send(from: string, { node, message }: Outgoing): void {
    if (this.measuresTraffic) this.#measure(from, message)
    if (!this.#hears(from, node) || this.random.chance(this.world.loss)) return
    const delay = this.random.between(...this.world.delayMs)
    const told = { ...message, header: this.#told(message.header) }
    this.queue.at(this.queue.now + delay, () => {
      if (this.#hears(from, node))
        this.nodes.find(({ name }) => name === node)?.receive(told, from, this.node(from).key)
    })
  }

  #told(header: Header): Header {
    if (this.#broken === 'earlyTakeover') return { ...header, timing: this.world.timing }
    return this.#broken === 'noHearsay' ? { ...header, first: undefined } : header
  }

  #measure(from: string, message: Outgoing['message']): void {
    const sent = this.traffic.get(from) ?? { messages: 0, bytes: 0 }
    sent.messages++
    sent.bytes += encodeMessage(message, new Uint8Array(32)).length + 28
    this.traffic.set(from, sent)
  }
}

/** In the order of the alphabet. */
export function nameOf(index: number): string {
  return `n${String(index + 1).padStart(3, '0')}`
}

export function keyOf(index: number): string {
  return keyOfBytes(Uint8Array.of(198, 18, index >> 8, index & 255))
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
