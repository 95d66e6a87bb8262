/** Sees everything in a simulation, and writes down what must not be. */
import type { AddressKey } from '../codec/ethernet.ts'
import type { PlannedAddress } from '../core/plan.ts'
import type { Deadlines } from '../core/timing.ts'
import type { EventQueue } from './event-queue.ts'
import { type Silence, SilenceWatch } from './silence-watch.ts'
import type { VirtualNode } from './virtual-node.ts'

/** Long enough after a disturbance for everything to have come right. */
const calmMs = 4000

/** Who was seen to answer, and when last. */
interface Seen {
  readonly name: string
  readonly at: number
}

export class Observer {
  readonly #queue: EventQueue
  readonly #nodes: readonly VirtualNode[]
  readonly #desired: readonly PlannedAddress[]
  readonly #deadlines: Deadlines
  readonly #connected: (a: string, b: string) => boolean
  readonly #signatures = new Map<string, string>()
  /** When each node was last seen to answer for the address. */
  readonly #answered = new Map<AddressKey, Map<string, number>>()
  readonly #lagging = new Map<string, Map<AddressKey, number>>()
  readonly #before = new Map<string, ReadonlySet<AddressKey>>()
  readonly #desiredAt = new Map<AddressKey, number>()
  #healedAt = Number.NEGATIVE_INFINITY
  #splitAt = Number.NEGATIVE_INFINITY
  #silence: SilenceWatch | undefined
  readonly violations: string[] = []
  asksFence = true
  releaseLagMs = 0
  /** Whether some do not hear each other, although they are of one side: then more than what is held is lost. */
  cut = false
  /** Sides without a majority are silent: two that hear each other again need no time to agree, if all do. */
  fences = false
  /** Whether moves without need are noted. */
  watchesMoves = true
  moves = 0

  constructor(
    queue: EventQueue,
    nodes: readonly VirtualNode[],
    desired: readonly PlannedAddress[],
    deadlines: Deadlines,
    connected: (a: string, b: string) => boolean,
  ) {
    this.#queue = queue
    this.#nodes = nodes
    this.#desired = desired
    this.#deadlines = deadlines
    this.#connected = connected
  }

  partitioned(): void {
    this.#splitAt = this.#queue.now
  }

  /** Another thing is desired of the address: it may move. */
  desires(address: AddressKey): void {
    this.#desiredAt.set(address, this.#queue.now)
  }

  healed(): void {
    this.#healedAt = this.#queue.now
    this.#splitAt = this.#queue.now
  }

  /** From now on it is noted for how long nobody answers. */
  watchSilence(): void {
    this.#silence = new SilenceWatch(this.#desired, () => this.#queue.now)
    for (const node of this.#nodes) this.#silence.look(node, this.#mayAnswer(node))
  }

  get silences(): readonly Silence[] {
    return this.#silence?.silences ?? []
  }

  /** Called after everything that a node did. */
  look(node: VirtualNode): void {
    const { core } = node
    this.#silence?.look(node, this.#mayAnswer(node))
    if (core === undefined) return
    if (this.releaseLagMs > 0) this.#noteLag(node)
    const answers = this.#mayAnswer(node)
    const signature = `${answers} ${core.held.digest}`
    if (this.#signatures.get(node.name) === signature) return
    this.#signatures.set(node.name, signature)
    if (answers) for (const address of core.held) this.#judge(address, node)
  }

  /** Whether every address that someone connected to the node may have has one owner among them, who may. */
  converged(from: VirtualNode): boolean {
    return this.#desired.every(({ key, candidates }) => {
      const owners = this.ownersOf(key, from)
      const may = candidates.filter(({ node }) => this.#isThere(node, from)).map(({ node }) => node)
      if (may.length === 0) return owners.length <= 1
      return owners.length === 1 && owners.every((owner) => may.includes(owner))
    })
  }

  #mayHave(name: string, address: AddressKey): boolean {
    const candidates = this.#desired.find(({ key }) => key === address)?.candidates ?? []
    return candidates.some(({ node }) => node === name)
  }

  #isThere(name: string, near: VirtualNode): boolean {
    const node = this.#nodes.find((one) => one.name === name)
    return node?.running === true && this.#connected(near.name, name)
  }

  /** How many addresses each running node near the one answers for. */
  loads(near: VirtualNode): ReadonlyMap<string, number> {
    const loads = new Map<string, number>()
    for (const node of this.#nodes)
      if (node.running && this.#connected(near.name, node.name)) loads.set(node.name, 0)
    for (const { key } of this.#desired)
      for (const owner of this.ownersOf(key, near)) loads.set(owner, (loads.get(owner) ?? 0) + 1)
    return loads
  }

  ownersOf(address: AddressKey, near: VirtualNode): readonly string[] {
    return this.#nodes
      .filter((one) => this.#connected(near.name, one.name) && this.answers(one, address))
      .map(({ name }) => name)
  }

  answers(node: VirtualNode, address: AddressKey): boolean {
    if (node.core === undefined || node.frozen || !this.#mayAnswer(node)) return false
    if (node.core.held.has(address)) return node.wants(address)
    return (this.#lagging.get(node.name)?.get(address) ?? 0) > this.#queue.now
  }

  get #isHealing(): boolean {
    const { detectMs, intervalMs } = this.#deadlines
    return this.#queue.now - this.#healedAt < detectMs + 3 * intervalMs
  }

  #mayAnswer({ core, frozen }: VirtualNode): boolean {
    if (core === undefined || frozen) return false
    return this.asksFence ? core.mayAnswer(this.#queue.now) : true
  }

  #judge(address: AddressKey, node: VirtualNode): void {
    const others = this.ownersOf(address, node).filter((name) => name !== node.name)
    if (others.length > 0 && !(this.#isHealing && (this.cut || !this.fences)))
      this.note(`${textOf(address)} is answered by ${node.name} and ${others.join()} at once`)
    const before = this.#ownerBefore(address, node)
    this.#saw(address, node)
    if (before === undefined || before.name === node.name) return
    this.moves++
    if (!this.watchesMoves || this.cut || !this.#isCalm(before, address)) return
    this.note(`${textOf(address)} moved from ${before.name} to ${node.name} without need`)
  }

  /** Looks at who answers now; several times a detection time is enough. */
  sample(): void {
    for (const { key } of this.#desired) {
      const owners = this.#nodes.filter((node) => this.answers(node, key))
      for (const owner of owners) this.#saw(key, owner)
      if (owners.length > 1 && !this.#isHealing) this.#noteRivals(key, owners)
    }
  }

  /** Two that began while things were healing, and go on: no change of theirs tells of it. */
  #noteRivals(address: AddressKey, owners: readonly VirtualNode[]): void {
    for (const [i, { name }] of owners.entries())
      for (const other of owners.slice(i + 1))
        if (this.#connected(name, other.name))
          this.note(`${textOf(address)} is still answered by ${name} and ${other.name}`)
  }

  #saw(address: AddressKey, { name }: VirtualNode): void {
    let seen = this.#answered.get(address)
    if (seen === undefined) this.#answered.set(address, (seen = new Map()))
    seen.set(name, this.#queue.now)
  }

  /** The last that answered on the same side. */
  #ownerBefore(address: AddressKey, node: VirtualNode): Seen | undefined {
    let last: Seen | undefined
    for (const [name, at] of this.#answered.get(address) ?? [])
      if (this.#connected(name, node.name) && (last === undefined || at > last.at)) last = { name, at }
    return last
  }

  /** Nothing has happened to the node that would be a reason. */
  #isCalm({ name, at }: Seen, address: AddressKey): boolean {
    const node = this.#nodes.find((one) => one.name === name)
    if (node === undefined || !node.running || node.leaving || at < node.disturbedAt) return false
    if (!this.#mayHave(name, address)) return false
    const desiredAt = this.#desiredAt.get(address) ?? Number.NEGATIVE_INFINITY
    return this.#queue.now - Math.max(node.disturbedAt, this.#splitAt, desiredAt) > calmMs
  }

  #noteLag({ name, core }: VirtualNode): void {
    if (core === undefined) return
    const held = new Set(core.held)
    const lagging = this.#lagging.get(name) ?? new Map<AddressKey, number>()
    for (const address of this.#before.get(name) ?? [])
      if (!held.has(address)) lagging.set(address, this.#queue.now + this.releaseLagMs)
    this.#before.set(name, held)
    this.#lagging.set(name, lagging)
  }

  note(what: string): void {
    if (this.violations.length < 20) this.violations.push(`${Math.round(this.#queue.now)} ms: ${what}`)
  }
}

export function textOf(address: AddressKey): string {
  return Array.from(address, (char) => char.charCodeAt(0)).join('.')
}
