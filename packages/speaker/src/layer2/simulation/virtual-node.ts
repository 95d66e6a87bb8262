/** One speaker of a simulation: its process can be started, frozen, thawed, killed and asked to leave. */
import type { AddressKey } from '../codec/ethernet.ts'
import type { Message } from '../codec/message.ts'
import type { CoreOptions } from '../core/core-options.ts'
import { Layer2Core } from '../core/layer2-core.ts'
import type { PeerAddress } from '../core/membership.ts'
import type { Outgoing } from '../core/outcome.ts'
import type { PlannedAddress } from '../core/plan.ts'
import type { EventQueue } from './event-queue.ts'

export interface NodeSurroundings {
  readonly queue: EventQueue
  readonly send: (from: string, message: Outgoing) => void
  /** What is one turn of the real loop. */
  readonly turn: (what: string, act: () => void) => void
  /** Something about what it answers for may have changed. */
  readonly changed: (node: VirtualNode) => void
  readonly desired: () => readonly PlannedAddress[]
  readonly peers: () => readonly PeerAddress[]
}

export class VirtualNode {
  readonly name: string
  readonly #around: NodeSurroundings
  readonly #options: Omit<CoreOptions, 'incarnation'>
  /** Changes with each start, so that what is due for an earlier life is passed over. */
  #life = 0
  #wakeAt = Number.POSITIVE_INFINITY
  #frozen = false
  #missed: (() => void)[] = []
  #unread: { readonly message: Message; readonly source: string; readonly key: string }[] = []
  core: Layer2Core | undefined
  /** When it was last anything but well. */
  disturbedAt = 0
  leaving = false
  blind = false
  /** Of its messages; '': none, and then those of others are not asked for one. */
  key = ''
  readonly #wanted = new Set<AddressKey>()

  constructor(options: Omit<CoreOptions, 'incarnation'>, around: NodeSurroundings) {
    this.name = options.node
    this.#options = options
    this.#around = around
  }

  get running(): boolean {
    return this.core !== undefined && !this.#frozen
  }

  get frozen(): boolean {
    return this.#frozen
  }

  start(phase: number): void {
    const { queue } = this.#around
    this.#life++
    this.leaving = false
    this.disturbedAt = queue.now
    this.core = new Layer2Core({ ...this.#options, incarnation: BigInt(this.#life * 1000 + 7) })
    this.core.setPeers(this.#around.peers(), queue.now)
    this.blind = false
    this.#wanted.clear()
    for (const address of this.#around.desired()) {
      this.core.setAddress(address)
      this.#wanted.add(address.key)
    }
    this.core.begin(queue.now)
    this.#beatAt(queue.now + phase, this.#life)
    this.#flush()
  }

  kill(): void {
    this.disturbedAt = this.#around.queue.now
    this.#life++
    this.core = undefined
    this.#frozen = false
    this.#missed = []
    this.#unread = []
    this.#around.changed(this)
  }

  freeze(): void {
    if (this.core === undefined) return
    this.disturbedAt = this.#around.queue.now
    this.#frozen = true
    this.#around.changed(this)
  }

  /** Timers first, then what has arrived, as the event loop does. */
  thaw(): void {
    if (!this.#frozen) return
    this.disturbedAt = this.#around.queue.now
    this.#frozen = false
    this.#around.changed(this)
    const [missed, unread] = [this.#missed, this.#unread]
    this.#missed = []
    this.#unread = []
    for (const run of missed) run()
    for (const { message, source, key } of unread) this.receive(message, source, key)
  }

  leave(): void {
    if (!this.running) return
    this.leaving = true
    this.disturbedAt = this.#around.queue.now
    this.core?.leave(this.#around.queue.now)
    this.#flush()
  }

  /** Says goodbye and ends. */
  depart(): void {
    if (this.core === undefined) return
    if (this.running) {
      this.core.depart(this.#around.queue.now)
      this.#flush()
    }
    this.kill()
  }

  /** Without an API server nothing more is heard of what is desired. */
  setBlind(blind: boolean): void {
    this.blind = blind
    this.#do((core) => core.setBlind(blind))
  }

  /** Whether it knows that the address is desired: else it does not answer. */
  wants(address: AddressKey): boolean {
    return this.#wanted.has(address)
  }

  /** As the announcer does it, when its process has the time. */
  desire(address: PlannedAddress): void {
    if (this.blind) return
    this.#wanted.add(address.key)
    this.#do((core) => {
      core.setAddress(address)
      core.tick(this.#around.queue.now, false)
    })
  }

  listPeers(): void {
    this.#do((core) => core.setPeers(this.#around.peers(), this.#around.queue.now))
  }

  receive(message: Message, source: string, key: string): void {
    if (this.core === undefined) return
    if (this.#frozen) {
      this.#unread.push({ message, source, key })
      return
    }
    const { core } = this
    if (this.key !== '' && this.key !== key)
      return core.overhear(source, message.header.held, this.#around.queue.now)
    this.#around.turn(`receive ${message.body?.kind ?? 'heartbeat'}`, () => {
      core.receive(message, source, key !== '', this.#around.queue.now)
    })
    this.#flush()
  }

  act(act: (core: Layer2Core) => void): void {
    if (this.core === undefined || this.#frozen) return
    act(this.core)
    this.#flush()
  }

  #do(act: (core: Layer2Core) => void): void {
    if (this.#frozen) this.#missed.push(() => this.act(act))
    else this.act(act)
  }

  #beatAt(time: number, life: number): void {
    this.#around.queue.at(time, () => this.#due(life, () => this.#beat(life)))
  }

  #beat(life: number): void {
    const { now } = this.#around.queue
    this.#around.turn('heartbeat', () => this.core?.tick(now))
    this.#beatAt(now + this.#options.timing.intervalMs, life)
    this.#flush()
  }

  /** A timer ran out; a frozen process sees it when it wakes. */
  #due(life: number, run: () => void): void {
    if (life !== this.#life) return
    if (this.#frozen) this.#missed.push(run)
    else run()
  }

  #flush(): void {
    if (this.core === undefined) return
    for (const message of this.core.drain().send) this.#around.send(this.name, message)
    this.#around.changed(this)
    this.#arm()
  }

  #arm(): void {
    const { queue } = this.#around
    const at = this.core?.wakeAt(queue.now) ?? Number.POSITIVE_INFINITY
    if (!Number.isFinite(at) || (this.#wakeAt > queue.now && this.#wakeAt <= at)) return
    this.#wakeAt = at
    const life = this.#life
    // A timer is late by a little, never early.
    queue.at(at + 0.5, () =>
      this.#due(life, () => {
        this.#wakeAt = Number.POSITIVE_INFINITY
        this.#around.turn('timer', () => this.core?.tick(queue.now, false))
        this.#flush()
      }),
    )
  }
}
