/**
 * The rim of one peer's session: drives the state machine with the socket's events and one timer, and lets the
 * Adj-RIB-Out write as fast as the peer reads. Sessions share nothing, so no peer delays another.
 */
import { type Interface, openTcpSocket } from '@landfall/net'
import { equalIP, type Family, type IP, parseIP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import type { ToBfd } from '../bfd/index.ts'
import type { BfdProfile, BgpPeerPlan, BgpRoute } from '../plan/bgp-plan.ts'
import { type BgpError, decodeMessage, encodeMessage, type SessionContext } from './codec/index.ts'
import { Connection } from './connection.ts'
import { FailureDetection } from './failure-detection.ts'
import {
  type Agreed,
  chooseRouterID,
  type Effect,
  type Ending,
  type Event,
  firstContext,
  nextDeadline,
  type PeerSettings,
  type State,
  step,
  stopped,
} from './fsm/index.ts'
import { AdjOut, chooseNextHop, resolveRoutes, type SessionFacts, type UnsentRoute } from './rib/index.ts'
import { reasonOf, SessionLog } from './session-log.ts'
import type { PeerMetrics } from './session-metrics.ts'

export interface SessionOptions {
  readonly peer: BgpPeerPlan
  readonly nodeName: string
  readonly interfaces: () => readonly Interface[]
  readonly logger: Logger
  readonly metrics: PeerMetrics
  readonly bfd: (message: ToBfd) => void
}

export interface PeerStatus {
  readonly name: string
  readonly state: State['kind']
  /** Why the last attempt or session ended. */
  readonly lastEnding: string | undefined
  /** Prefixes that the peer has from us. */
  readonly announced: number
  /** Prefixes that the peer has yet to read about; all of them while there is no session. */
  readonly pending: number
  readonly unsent: readonly UnsentRoute[]
}

interface Established {
  readonly agreed: Agreed
  readonly rib: AdjOut
}

export class Session {
  readonly #options: SessionOptions
  readonly #settings: PeerSettings
  readonly #log: SessionLog
  readonly #detection: FailureDetection
  readonly #events: Event[] = []
  #routes: readonly BgpRoute[]
  #state: State = stopped
  #connection: Connection | undefined
  #localAddress: IP | undefined
  #established: Established | undefined
  #unsent: readonly UnsentRoute[] = []
  #lastEnding: string | undefined
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> = Promise.resolve()

  constructor(options: SessionOptions) {
    const { peer } = options
    this.#options = options
    this.#routes = peer.routes
    this.#settings = {
      localASN: peer.myASN,
      peerASN: peer.peerASN,
      holdSeconds: peer.holdTimeSeconds,
      ...(peer.keepaliveSeconds === undefined ? {} : { keepaliveSeconds: peer.keepaliveSeconds }),
      ...(peer.connectSeconds === undefined ? {} : { connectSeconds: peer.connectSeconds }),
      random: Math.random,
    }
    this.#log = new SessionLog(options.logger, peer)
    this.#detection = new FailureDetection({ peer, send: options.bfd, interfaces: options.interfaces })
    this.#report()
  }

  get status(): PeerStatus {
    return {
      name: this.#options.peer.name,
      state: this.#state.kind,
      lastEnding: this.#lastEnding,
      announced: this.#established?.rib.announced ?? 0,
      pending: this.#established?.rib.pending ?? this.#routes.length,
      unsent: this.#unsent,
    }
  }

  start(): void {
    this.#dispatch({ kind: 'start' })
  }

  /** Tells the peer why, and resolves when the connection is gone; within a second. */
  async stop(error: BgpError): Promise<void> {
    this.#dispatch({ kind: 'stop', error })
    this.#detection.close()
    await this.#closing
  }

  setRoutes(routes: readonly BgpRoute[]): void {
    this.#routes = routes
    this.#applyRoutes()
  }

  /** The session stays as it is. */
  setBfd(profile: BfdProfile | undefined): void {
    this.#detection.setProfile(profile)
    if (profile === undefined) this.#dispatch({ kind: 'release' })
  }

  /** BFD says whether the session has to stay down. */
  setHeld(held: boolean): void {
    this.#dispatch({ kind: held ? 'hold' : 'release' })
  }

  /** Events that arise while one is handled wait for their turn. */
  #dispatch(event: Event): void {
    if (this.#events.push(event) > 1) return
    for (let next = this.#events[0]; next !== undefined; next = this.#events[0]) {
      const { state, effects } = step(this.#state, next, performance.now(), this.#settings)
      this.#state = state
      for (const effect of effects) this.#perform(effect)
      this.#events.shift()
    }
    this.#arm()
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'connect':
        return this.#connect()
      case 'disconnect':
        return this.#disconnect()
      case 'send':
        this.#connection?.write([encodeMessage(effect.message, this.#context)])
        return
      case 'up':
        return this.#onUp(effect.agreed)
      case 'refresh':
        this.#established?.rib.refresh(effect.family)
        return this.#flush()
      case 'faults':
        return this.#log.faults(effect.faults.map(({ attribute }) => attribute))
      case 'ended':
        return this.#onEnded(effect.ending, effect.wasEstablished)
    }
  }

  #connect(): void {
    const { peer } = this.#options
    const eBGP = peer.myASN !== peer.peerASN
    const socket = openTcpSocket({
      remote: peer.address,
      port: peer.port,
      local: peer.sourceAddress,
      md5Password: peer.password,
      ttl: eBGP && !peer.ebgpMultiHop ? 1 : 255,
    })
    this.#connection = new Connection({
      socket,
      messageLimit: () => this.#context.messageLimit,
      onConnected: (local) => this.#onConnected(local),
      onFrame: (frame) => this.#onFrame(frame),
      onBroken: (error) => this.#dispatch({ kind: 'malformed', error }),
      onClosed: (message) =>
        this.#dispatch({ kind: 'closed', ...(message === undefined ? {} : { message }) }),
      onDrain: () => this.#flush(),
    })
  }

  #disconnect(): void {
    this.#detection.down()
    this.#closing = this.#connection?.close() ?? Promise.resolve()
    this.#connection = undefined
  }

  #onFrame(frame: Uint8Array): void {
    const decoded = decodeMessage(frame, this.#context)
    const event: Event = decoded.ok
      ? { kind: 'message', message: decoded.value }
      : { kind: 'malformed', error: decoded.error }
    this.#dispatch(event)
  }

  get #context(): SessionContext {
    const state = this.#state
    return 'agreed' in state ? state.agreed.context : firstContext(this.#settings)
  }

  #onConnected(local: string): void {
    this.#localAddress = parseIP(local)
    this.#dispatch({ kind: 'connected', routerID: this.#routerID() })
  }

  #onUp(agreed: Agreed): void {
    const { metrics } = this.#options
    const marks = agreed.wantsEndOfRib ? agreed.families : []
    this.#established = { agreed, rib: new AdjOut({ context: agreed.context, endOfRib: marks }) }
    this.#log.up()
    metrics.up(true)
    const connection = this.#connection
    const local = this.#localAddress
    if (connection !== undefined && local !== undefined)
      this.#detection.up(local, this.#options.peer.address, () => connection.share())
    this.#applyRoutes()
  }

  #onEnded(ending: Ending, wasEstablished: boolean): void {
    this.#lastEnding = reasonOf(ending)
    this.#established = undefined
    this.#connection = undefined
    this.#detection.down()
    this.#unsent = []
    this.#log.ended(ending, wasEstablished)
    this.#report()
  }

  #applyRoutes(): void {
    if (this.#established === undefined) return this.#report()
    const { agreed, rib } = this.#established
    const { routes, unsent } = resolveRoutes(this.#routes, this.#facts(agreed))
    const changes = rib.setDesired(routes)
    if (changes.announced + changes.withdrawn > 0) this.#log.updated({ ...changes, total: routes.size })
    this.#unsent = [...unsent, ...rib.unsent]
    this.#log.unsent(this.#unsent)
    this.#flush()
  }

  /** Writes until the socket has enough to do; 'drain' goes on from there. */
  #flush(): void {
    const established = this.#established
    const connection = this.#connection
    if (established === undefined || connection === undefined) return
    const count = connection.write(this.#takeMessages(established, connection))
    this.#options.metrics.sent(count)
    this.#report()
  }

  *#takeMessages({ agreed, rib }: Established, connection: Connection): Iterable<Uint8Array> {
    while (!connection.isFull) {
      const message = rib.next()
      if (message === undefined) return
      yield encodeMessage(message, agreed.context)
    }
  }

  #facts(agreed: Agreed): SessionFacts {
    const [session, ...beside] = this.#localAddresses()
    const nextHop = (family: Family) => session && chooseNextHop(family, session, beside)
    return {
      localASN: this.#settings.localASN,
      internal: agreed.context.internal,
      fourOctetAS: agreed.context.fourOctetAS,
      families: agreed.families,
      nextHops: { 4: nextHop(4), 6: nextHop(6) },
    }
  }

  #routerID(): number {
    const { peer, nodeName } = this.#options
    return chooseRouterID({ configured: peer.routerID, addresses: this.#localAddresses(), nodeName })
  }

  /** The session's own address, then those of its interface; empty before the first connection. */
  #localAddresses(): readonly IP[] {
    const session = this.#localAddress
    if (session === undefined) return []
    const home = this.#options
      .interfaces()
      .find(({ addresses }) => addresses.some(({ ip }) => equalIP(ip, session)))
    const beside = home?.addresses.flatMap(({ ip, tentative }) => (tentative ? [] : [ip])) ?? []
    return [session, ...beside]
  }

  #report(): void {
    const { metrics } = this.#options
    const { announced, pending, unsent } = this.status
    if (this.#established === undefined) metrics.up(false)
    metrics.prefixes(announced, pending)
    metrics.unsent(unsent.length)
  }

  /** The tick comes after the poll phase: bytes that arrived while we were stalled count before a hold timer does. */
  #arm(): void {
    clearTimeout(this.#timer)
    const deadline = nextDeadline(this.#state)
    if (deadline === undefined) return
    const wait = Math.max(0, Math.ceil(deadline - performance.now()))
    this.#timer = setTimeout(() => setImmediate(() => this.#dispatch({ kind: 'tick' })), wait)
  }
}
