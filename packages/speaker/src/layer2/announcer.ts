/**
 * Everything of layer 2 that must not wait: membership, ownership, responder and gratuitous announcements, driven
 * by the sockets and timers of one event loop (the worker's). Desired inputs come in, observations go out.
 */
import { randomBytes } from 'node:crypto'
import { type InterfaceWatch, watchInterfaces } from '@landfall/net'
import { formatIP, ipBytes, ipFromBytes, parseIP } from '@landfall/netip'
import { type AddressKey, bytesOfKey, keyOfBytes } from './codec/ethernet.ts'
import { type Heartbeat, heartbeatKey } from './codec/heartbeat.ts'
import { GratuitousSchedule } from './core/gratuitous.ts'
import { answeringInterfaces } from './core/interface-rules.ts'
import { KeyRing } from './core/key-ring.ts'
import { Membership } from './core/membership.ts'
import { ownerOf } from './core/ownership.ts'
import { HeartbeatSocket } from './heartbeat-socket.ts'
import type { Counts, Desired, FromWorker, WorkerOptions } from './messages.ts'
import { Responder } from './responder.ts'

/** Others fall silent on hearing that we serve; only then do we answer. */
const handoverMs = 20
/** Announced in one turn of the loop, so that a large takeover delays no heartbeat. */
const announcementsPerTurn = 64
/** Refreshes are spread: a slice of at most that many each. */
const announcePauseMs = 5
const countsMs = 1000
const farewells = 3

export class Announcer {
  readonly #options: WorkerOptions
  readonly #post: (message: FromWorker) => void
  readonly #membership: Membership
  readonly #keys: KeyRing
  readonly #socket: HeartbeatSocket
  readonly #responder: Responder
  readonly #schedule: GratuitousSchedule
  readonly #watch: InterfaceWatch
  readonly #excludes: readonly RegExp[]
  readonly #timers: NodeJS.Timeout[]
  readonly #counts = new Map<AddressKey, { requests: number; replies: number; gratuitous: number }>()
  readonly #refusals = new Map<string, number>()
  #desired: Desired | undefined
  #serving: ReadonlySet<string> = new Set()
  #owned = new Map<AddressKey, ReadonlySet<string> | undefined>()
  #expiry: NodeJS.Timeout | undefined
  #announcing: NodeJS.Timeout | undefined
  #reportDue = false
  #stopped = false
  #takesPart = false

  constructor(options: WorkerOptions, post: (message: FromWorker) => void) {
    this.#options = options
    this.#post = post
    this.#excludes = options.excludes.map((pattern) => new RegExp(pattern))
    const incarnation = randomBytes(8).readBigUInt64BE() | 1n
    this.#membership = new Membership(options.node, incarnation, options.timing)
    this.#schedule = new GratuitousSchedule(options.refreshMs)
    this.#responder = new Responder({
      mayAnswer: () => true,
      request: (address, answered) => this.#countRequest(address, answered),
      gratuitous: (address) => this.#countOf(address).gratuitous++,
      log: (level, event, fields) => post({ kind: 'log', level, event, fields }),
    })
    this.#keys = new KeyRing(options.secret === undefined ? undefined : heartbeatKey(options.secret))
    this.#socket = new HeartbeatSocket({
      port: options.port,
      bindAddress: options.bindAddress,
      keys: this.#keys,
      onHeartbeat: (heartbeat, source) => this.#heard(heartbeat, source),
      onRefused: (reason) => this.#refused(reason),
      onWaiting: (error) =>
        post({ kind: 'log', level: 'warn', event: 'heartbeatPortTaken', fields: { error: error.message } }),
      onError: (error) => {
        throw error
      },
    })
    this.#watch = watchInterfaces(() => this.#linksChanged())
    this.#linksChanged()
    this.#timers = [
      setInterval(() => this.#beat(), options.timing.intervalMs),
      setInterval(() => this.#reportCounts(), countsMs),
    ]
  }

  setDesired(desired: Desired): void {
    this.#desired = desired
    this.#membership.setPeers(desired.peers, now())
    this.#decide()
  }

  /** The shared secret was replaced. */
  setSecret(secret: Uint8Array): void {
    this.#keys.renew(heartbeatKey(secret), now())
  }

  /** Falls silent, then says goodbye, so that the others take over at once. */
  async stop(): Promise<void> {
    this.#membership.leave()
    this.#decide()
    for (let i = 0; i < farewells; i++) {
      this.#socket.send(this.#membership.beat())
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    this.#stopped = true
    for (const timer of [...this.#timers, this.#expiry, this.#announcing]) clearTimeout(timer)
    this.#reportCounts()
    this.#watch.close()
    this.#responder.close()
    await this.#socket.close()
  }

  #beat(): void {
    if (!this.#socket.bound || this.#desired === undefined) return
    this.#membership.begin(now())
    if (this.#membership.settle(now())) setTimeout(() => this.#takePart(), handoverMs)
    this.#socket.send(this.#membership.beat())
    this.#judge()
  }

  #takePart(): void {
    this.#takesPart = true
    this.#decide()
  }

  /** Who may own an address as of now; ourselves only after the others have heard that we serve. */
  #servingNow(): ReadonlySet<string> {
    const serving = new Set(this.#membership.serving(now()))
    if (!this.#takesPart) serving.delete(this.#options.node)
    return serving
  }

  #heard(heartbeat: Heartbeat, source: string): void {
    const authenticated = this.#options.secret !== undefined
    const result = this.#membership.receive(heartbeat, source, authenticated, now())
    if (result.kind === 'refused') return this.#refused(result.reason)
    this.#socket.send(result.replies)
    if (result.kind === 'accepted' && result.changed) this.#decide()
  }

  #refused(reason: string): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
  }

  /** Wakes when the next silent peer would be dead; each beat looks too, should a peer expire in between. */
  #armExpiry(): void {
    if (this.#expiry !== undefined) return
    const at = this.#membership.nextExpiry(now())
    if (at === undefined) return
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined
        this.#judge()
      },
      at - now() + 1,
    )
  }

  /**
   * After a stall the loop runs expired timers before it reads what has arrived meanwhile: the judgement waits
   * until the sockets have been read, else a living peer would be declared dead.
   */
  #judge(): void {
    setImmediate(() =>
      setImmediate(() => {
        if (this.#stopped) return
        if (!sameSet(this.#servingNow(), this.#serving)) this.#decide()
        this.#armExpiry()
      }),
    )
  }

  #decide(): void {
    this.#serving = this.#servingNow()
    const owned = new Map<AddressKey, ReadonlySet<string> | undefined>()
    for (const address of this.#desired?.addresses ?? []) {
      if (ownerOf(address, this.#serving) !== this.#options.node) continue
      const { interfaces } = address
      owned.set(keyOfText(address.ip), interfaces.length === 0 ? undefined : new Set(interfaces))
    }
    const before = this.#owned
    this.#owned = owned
    this.#responder.setOwned(owned)
    for (const address of before.keys()) if (!owned.has(address)) this.#schedule.release(address)
    for (const [address, only] of owned)
      if (!before.has(address) || !sameSet(only, before.get(address))) this.#schedule.acquire(address, now())
    this.#announce()
    this.#report()
  }

  #linksChanged(): void {
    const returned = this.#responder.setInterfaces(answeringInterfaces(this.#watch.current, this.#excludes))
    if (returned.length > 0) for (const address of this.#owned.keys()) this.#schedule.acquire(address, now())
    this.#announce()
    this.#report()
  }

  #announce(): void {
    clearTimeout(this.#announcing)
    for (const address of this.#schedule.take(now(), announcementsPerTurn)) this.#responder.announce(address)
    const next = this.#schedule.next()
    if (next === undefined) return
    this.#announcing = setTimeout(() => this.#announce(), Math.max(announcePauseMs, next - now()))
  }

  #countOf(address: AddressKey): { requests: number; replies: number; gratuitous: number } {
    let counts = this.#counts.get(address)
    if (counts === undefined) this.#counts.set(address, (counts = { requests: 0, replies: 0, gratuitous: 0 }))
    return counts
  }

  #countRequest(address: AddressKey, answered: boolean): void {
    const counts = this.#countOf(address)
    counts.requests++
    if (answered) counts.replies++
  }

  #reportCounts(): void {
    for (const [reason, count] of this.#refusals) this.#post({ kind: 'refusedHeartbeats', reason, count })
    this.#refusals.clear()
    if (this.#counts.size === 0) return
    const counts: Record<string, Counts> = {}
    for (const [address, count] of this.#counts) counts[textOfKey(address)] = count
    this.#counts.clear()
    this.#post({ kind: 'counts', counts })
  }

  /** At most once a turn of the loop. */
  #report(): void {
    if (this.#reportDue) return
    this.#reportDue = true
    setImmediate(() => {
      this.#reportDue = false
      this.#post({
        kind: 'state',
        state: {
          serving: this.#serving.has(this.#options.node),
          announced: [...this.#owned.keys()].map((address) => ({
            ip: textOfKey(address),
            interfaces: this.#responder.interfacesOf(address),
          })),
          owners: Object.fromEntries(
            (this.#desired?.addresses ?? []).map((address) => [
              address.ip,
              ownerOf(address, this.#serving) ?? '',
            ]),
          ),
          members: this.#membership.members(now()),
        },
      })
    })
  }
}

/** Milliseconds of the monotonic clock. */
function now(): number {
  return performance.now()
}

function keyOfText(text: string): AddressKey {
  const ip = parseIP(text)
  if (ip === undefined) throw new Error(`no address: ${text}`)
  return keyOfBytes(ipBytes(ip))
}

function textOfKey(key: AddressKey): string {
  const ip = ipFromBytes(bytesOfKey(key))
  return ip === undefined ? '' : formatIP(ip)
}

function sameSet(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.size === b.size && [...a].every((item) => b.has(item))
}
