/**
 * Everything of layer 2 that must not wait, driven by the sockets and timers of one event loop (the worker's): the
 * core says what this node holds and whether its right is fresh, the responder answers, announcements go out.
 */
import { randomBytes } from 'node:crypto'
import { type InterfaceWatch, watchInterfaces } from '@landfall/net'
import { type IP, ipBytes, parseIP } from '@landfall/netip'
import { type AddressKey, keyOfBytes } from './codec/ethernet.ts'
import { type Message, messageKey } from './codec/message.ts'
import { CandidateLists } from './core/candidate-lists.ts'
import { answeringInterfaces } from './core/interface-rules.ts'
import { KeyRing } from './core/key-ring.ts'
import { Layer2Core } from './core/layer2-core.ts'
import type { PeerAddress } from './core/membership.ts'
import type { Change } from './core/outcome.ts'
import { Search } from './core/search.ts'
import { HeartbeatSocket } from './heartbeat-socket.ts'
import type { DesiredPart, FromWorker, WantedAddress, WorkerOptions } from './messages.ts'
import { Responder } from './responder.ts'
import { Announcements, LinkAnnouncements } from './responder-announcements.ts'
import { StateReports, textOfKey } from './state-reports.ts'

/** What is not handed over by then is left to be found out. */
const handOverMs = 1000
const handOverLookMs = 2
/** In one turn of the loop, so that none is long. */
const announcedPerTurn = 1000

export class Announcer {
  readonly #options: WorkerOptions
  readonly #post: (message: FromWorker) => void
  readonly #core: Layer2Core
  readonly #keys: KeyRing
  readonly #socket: HeartbeatSocket
  readonly #responder: Responder
  readonly #announcements: Announcements
  readonly #linkAnnouncements: LinkAnnouncements
  readonly #reports: StateReports
  readonly #watch: InterfaceWatch
  readonly #excludes: readonly RegExp[]
  readonly #beats: NodeJS.Timeout
  readonly #wanted = new Map<AddressKey, ReadonlySet<string> | undefined>()
  readonly #lists = new CandidateLists()
  readonly #search: Search
  readonly #parts: DesiredPart[] = []
  #complete = false
  #wake: NodeJS.Timeout | undefined
  #wakeAt = Number.POSITIVE_INFINITY
  #left: Promise<number> | undefined
  #stopped = false

  constructor(options: WorkerOptions, post: (message: FromWorker) => void) {
    this.#options = options
    this.#post = post
    this.#excludes = options.excludes.map((pattern) => new RegExp(pattern))
    const core = new Layer2Core({ ...options, incarnation: randomBytes(8).readBigUInt64BE() | 1n })
    this.#core = core
    this.#search = new Search(options.node, core.membership)
    this.#reports = new StateReports({
      core,
      node: options.node,
      post,
      isWanted: (address) => this.#wanted.has(address),
      interfacesOf: (address) => this.#responder.interfacesOf(address),
    })
    this.#responder = new Responder({
      mayAnswer: () => core.mayAnswer(now()),
      request: (address, answered) => this.#reports.request(address, answered),
      gratuitous: (address) => this.#reports.gratuitous(address),
      cut: () => this.#touchHeld(),
      log: (level, event, fields) => post({ kind: 'log', level, event, fields }),
    })
    this.#announcements = new Announcements(options.refreshMs, (address) => this.#responder.announce(address))
    this.#linkAnnouncements = new LinkAnnouncements((address, name) =>
      this.#responder.announce(address, name),
    )
    this.#keys = new KeyRing(options.secret === undefined ? undefined : messageKey(options.secret))
    this.#socket = this.#openSocket()
    this.#watch = watchInterfaces(() => this.#linksChanged())
    this.#linksChanged()
    this.#beats = setInterval(() => this.#afterReading(() => this.#beat()), options.timing.intervalMs)
  }

  /** Taken in later, one part in a turn of the loop: many may come at once. */
  setDesired(part: DesiredPart): void {
    if (this.#parts.push(part) === 1) setImmediate(() => this.#takeIn())
  }

  #takeIn(): void {
    const part = this.#parts.shift()
    if (this.#stopped || part === undefined) return
    if (this.#parts.length > 0) setImmediate(() => this.#takeIn())
    this.#desire(part)
  }

  #desire({ set, removed, peers }: DesiredPart): void {
    for (const ip of removed) this.#remove(keyOfText(ip))
    for (const address of set) this.#set(address)
    if (peers !== undefined) {
      this.#core.setPeers(peers, now())
      this.#complete = true
    }
    this.#core.tick(now(), false)
    this.#flush()
  }

  /** The shared secret was replaced. */
  setSecret(secret: Uint8Array): void {
    this.#keys.renew(messageKey(secret), now())
  }

  /** The API server has been away for a while, or is back. */
  setBlind(blind: boolean): void {
    this.#core.setBlind(blind)
  }

  rebalance(): void {
    this.#core.rebalance()
  }

  /**
   * Hands over what is held, as long as there is somebody to take it, is silent, and says goodbye.
   * @returns how many addresses others took
   */
  leave(): Promise<number> {
    this.#left ??= this.#handOver()
    return this.#left
  }

  async stop(): Promise<void> {
    await this.leave()
    this.#stopped = true
    clearInterval(this.#beats)
    clearTimeout(this.#wake)
    this.#announcements.close()
    this.#linkAnnouncements.close()
    this.#reports.close()
    this.#watch.close()
    this.#responder.close()
    await this.#socket.close()
  }

  async #handOver(): Promise<number> {
    const until = now() + handOverMs
    const held = this.#core.held.size
    this.#core.leave(now())
    this.#flush()
    while (this.#core.isHandingOver(now()) && now() < until)
      await new Promise((resolve) => setTimeout(resolve, handOverLookMs))
    const handedOver = Math.max(0, held - this.#core.held.size)
    this.#core.depart(now())
    this.#flush()
    return handedOver
  }

  #openSocket(): HeartbeatSocket {
    return new HeartbeatSocket({
      port: this.#options.port,
      bindAddress: this.#options.bindAddress,
      keys: this.#keys,
      onMessage: (message, source) => this.#heard(message, source),
      onRefused: (reason) => this.#reports.refused(reason),
      onOverheard: (source, held) => this.#core.overhear(source, held, now()),
      onWaiting: ({ message }) =>
        this.#post({ kind: 'log', level: 'warn', event: 'heartbeatPortTaken', fields: { error: message } }),
      onError: (error) => {
        throw error
      },
    })
  }

  #beat(): void {
    if (!this.#socket.bound || !this.#complete) return
    this.#core.begin(now())
    this.#core.tick(now())
    this.#flush()
    if (this.#left === undefined) this.#responder.reacquaint(ipsOf(this.#search.next(now())))
  }

  #heard(message: Message, source: string): void {
    if (this.#stopped) return
    const refusal = this.#core.receive(message, source, this.#options.secret !== undefined, now())
    if (refusal !== undefined) this.#reports.refused(refusal)
    this.#flush()
  }

  /**
   * After a stall the loop runs expired timers before it reads what has arrived meanwhile: what time alone decides
   * waits until the sockets have been read, else a living peer would be declared dead.
   */
  #afterReading(act: () => void): void {
    setImmediate(() =>
      setImmediate(() => {
        if (!this.#stopped) act()
      }),
    )
  }

  #arm(): void {
    const at = this.#core.wakeAt(now())
    if (at === this.#wakeAt) return
    clearTimeout(this.#wake)
    this.#wakeAt = at
    if (!Number.isFinite(at)) return
    this.#wake = setTimeout(
      () => {
        this.#wakeAt = Number.POSITIVE_INFINITY
        this.#afterReading(() => {
          this.#core.tick(now(), false)
          this.#flush()
        })
      },
      Math.max(0, at - now()) + 0.5,
    )
  }

  /** Brings sockets and responder to what the core decided: what is given up first. */
  #flush(): void {
    const { send, taken, released, resumed } = this.#core.drain()
    for (const address of released) this.#responder.disown(address)
    this.#announcements.release(released)
    for (const { address } of taken) this.#own(address)
    this.#socket.send(send)
    this.#announcements.acquire(taken.map(({ address }) => address).filter((one) => this.#wanted.has(one)))
    if (resumed) this.#announceAll()
    for (const address of [...released, ...taken.map(({ address }) => address)]) this.#reports.touch(address)
    this.#tellChanges(taken)
    this.#reports.changed()
    this.#arm()
  }

  #tellChanges(taken: readonly Change[]): void {
    if (taken.length === 0) return
    const changes = taken.map(({ address, ...why }) => ({ ip: textOfKey(address), ...why }))
    this.#post({ kind: 'changes', changes })
  }

  #set(address: WantedAddress): void {
    const { ip, unit, interfaces } = address
    const key = keyOfText(ip)
    this.#wanted.set(key, interfaces.length === 0 ? undefined : new Set(interfaces))
    this.#core.setAddress({ key, unit, candidates: this.#lists.use(key, address.candidates) })
    this.#reports.touch(key)
    if (this.#core.held.has(key) && this.#own(key)) this.#announcements.acquire([key])
  }

  #remove(key: AddressKey): void {
    this.#wanted.delete(key)
    this.#lists.forget(key)
    this.#core.deleteAddress(key)
    this.#responder.disown(key)
    this.#announcements.release([key])
    this.#reports.touch(key)
  }

  /** Whether it answers otherwise than before. */
  #own(address: AddressKey): boolean {
    return this.#wanted.has(address) && this.#responder.own(address, this.#wanted.get(address))
  }

  #announceAll(): void {
    this.#announceFrom([...this.#core.held])
  }

  #announceFrom(addresses: readonly AddressKey[]): void {
    if (this.#stopped) return
    const now = addresses.slice(0, announcedPerTurn)
    const later = addresses.slice(announcedPerTurn)
    this.#announcements.acquire(now.filter((one) => this.#core.held.has(one) && this.#wanted.has(one)))
    if (later.length === 0) return
    setImmediate(() => this.#announceFrom(later))
  }

  /** On these interfaces; one in a turn of the loop. */
  #announceOn([name, ...others]: readonly string[], addresses = [...this.#core.held]): void {
    if (this.#stopped || name === undefined) return
    this.#linkAnnouncements.acquire(name, addresses.slice(0, announcedPerTurn))
    const later = addresses.slice(announcedPerTurn)
    setImmediate(() =>
      later.length > 0 ? this.#announceOn([name, ...others], later) : this.#announceOn(others),
    )
  }

  #linksChanged(): void {
    const returned = this.#responder.setInterfaces(answeringInterfaces(this.#watch.current, this.#excludes))
    if (returned.length > 0) {
      // First of all the others are to know: meanwhile they may have taken over.
      this.#responder.reacquaint(ipsOf(this.#core.membership.peers.values()), returned)
      this.#beat()
      if (this.#core.isCutOff(now()))
        setTimeout(() => this.#announceOn(returned), this.#options.timing.intervalMs)
      else this.#announceOn(returned)
    }
    this.#touchHeld()
  }

  #touchHeld(): void {
    for (const address of this.#core.held) this.#reports.touch(address)
    this.#reports.changed()
  }
}

function ipsOf(peers: Iterable<PeerAddress>): readonly IP[] {
  return [...peers].flatMap(({ addresses }) => addresses.flatMap((text) => parseIP(text) ?? []))
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
