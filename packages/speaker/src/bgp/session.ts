/**
 * The rim of one peer's session: drives the state machine with the events of its connection and one timer, and lets
 * the Adj-RIB-Out write as fast as the peer reads. Sessions share nothing, so no peer delays another.
 */
import type net from 'node:net'
import type { Interface } from '@landfall/net'
import type { IP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import type { ToBfd } from '../bfd/index.ts'
import type { BfdProfile, BgpPeerPlan, Routes } from '../plan/bgp-plan.ts'
import {
  type BgpError,
  decodeMessage,
  encodeMessage,
  isHardReset,
  type SessionContext,
} from './codec/index.ts'
import type { Connection } from './connection.ts'
import { Connections, type Slot } from './connections.ts'
import { FailureDetection } from './failure-detection.ts'
import {
  type Agreed,
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
import { AdjOut, SessionRoutes, type UnsentRoute } from './rib/index.ts'
import { factsOf, routerIDOf } from './session-facts.ts'
import { nameOfPeer, SessionLog, type Why, whyEnded } from './session-log.ts'
import type { PeerMetrics } from './session-metrics.ts'
import { settingsOf } from './session-settings.ts'

export interface SessionOptions {
  readonly peer: BgpPeerPlan
  readonly nodeName: string
  readonly interfaces: () => readonly Interface[]
  /** The router heard on an interface. */
  readonly neighbor: (name: string) => IP | undefined
  readonly logger: Logger
  readonly metrics: PeerMetrics
  readonly bfd: (message: ToBfd) => void
  /** Peers can dial us. */
  readonly listening: boolean
  /** Routes of an earlier life of this speaker may still stand at the peer. */
  readonly restarting: () => boolean
  /** Its status may be another. */
  readonly onChange: () => void
}

export interface PeerStatus {
  readonly name: string
  readonly state: State['kind']
  /** Why the last attempt or session ended. */
  readonly lastEnding: Why | undefined
  /** `192.0.2.1:179` */
  readonly address: string
  readonly vrf: string | undefined
  /** The peer dials, we do not; `notListening`: and nobody here would hear it. */
  readonly passive: boolean | 'notListening'
  /** BFD lost the peer: no attempt is made before it is found again. */
  readonly held: boolean
  /** Since when the session is up, or not: milliseconds since 1970. */
  readonly since: number
  /** Prefixes that the peer has from us. */
  readonly announced: number
  /** Prefixes that the peer has yet to read about; all of them while there is no session. */
  readonly pending: number
  readonly unsent: readonly UnsentRoute[]
}

interface Established {
  readonly agreed: Agreed
  readonly rib: AdjOut
  readonly routes: SessionRoutes
}

export class Session {
  readonly #options: SessionOptions
  readonly #settings: PeerSettings
  readonly #log: SessionLog
  readonly #detection: FailureDetection
  readonly #connections: Connections
  readonly #events: Event[] = []
  #routes: Routes
  #state: State = stopped
  #established: Established | undefined
  #hasBeenUp = false
  #draining = false
  #unsent: readonly UnsentRoute[] = []
  #lastEnding: Why | undefined
  #since = Date.now()
  #timer: NodeJS.Timeout | undefined
  #retirement: NodeJS.Timeout | undefined

  constructor(options: SessionOptions) {
    const { peer, interfaces, neighbor } = options
    this.#options = options
    this.#routes = peer.routes
    this.#settings = settingsOf(peer)
    this.#log = new SessionLog(options.logger, peer)
    this.#detection = new FailureDetection({ peer, send: options.bfd, interfaces })
    this.#connections = new Connections({
      peer,
      interfaces,
      neighbor,
      messageLimit: (slot) => this.#contextOf(slot).messageLimit,
      onEvent: (event) => this.#dispatch(event),
      onConnected: (slot, connection) => this.#onConnected(slot, connection),
      onFrame: (slot, frame) => this.#onFrame(slot, frame),
      onDrain: () => this.#flush(),
    })
    this.#report()
  }

  get status(): PeerStatus {
    const established = this.#established
    const { peer, listening } = this.#options
    const passive = peer.passive ?? false
    return {
      name: peer.name,
      address: nameOfPeer(peer),
      vrf: peer.vrf,
      passive: passive && !listening ? 'notListening' : passive,
      state: this.#state.kind,
      lastEnding: this.#lastEnding,
      held: this.#state.kind === 'idle' && this.#state.held === true,
      since: this.#since,
      announced: established?.rib.announced ?? 0,
      pending: established?.rib.pending ?? this.#routes.length,
      unsent: this.#unsent,
    }
  }

  start(): void {
    this.#dispatch({ kind: 'start' })
  }

  /** The router of an unnumbered session was heard. */
  found(): void {
    this.#dispatch({ kind: 'found' })
  }

  /** BFD was begun beside it. */
  get hasBfd(): boolean {
    return this.#detection.isOpen
  }

  /**
   * Tells the peer why, and resolves when the connection is gone; within a second. BFD ends after it: BIRD takes that for a
   * failure where it comes first, and lets nobody in for a minute.
   */
  async stop(error: BgpError): Promise<void> {
    this.#dispatch({ kind: 'stop', error })
    await this.#connections.closed()
    this.#detection.close()
  }

  /** The peer agreed to keep our routes over a restart. */
  get keepsRoutes(): boolean {
    return this.#established?.agreed.gracefulRestart ?? false
  }

  /** Leaves the routes with the peer where it agreed to keep them over a restart; else as `stop`. */
  async leave(error: BgpError): Promise<void> {
    if (!this.keepsRoutes) return this.stop(error)
    this.#detection.close()
    this.#dispatch({ kind: 'abandon' })
    await this.#connections.closed()
  }

  /** The peer dialled. */
  accept(socket: net.Socket): void {
    this.#connections.accept(socket)
  }

  /** What goes is withdrawn after so many milliseconds, in which it says that it is about to go (RFC 8326). */
  setRoutes(routes: Routes, retireMs = 0): void {
    this.#routes = routes
    this.#applyRoutes(retireMs > 0)
    if ((this.#established?.routes.retiring ?? 0) > 0)
      this.#retirement ??= setTimeout(() => this.#withdrawRetired(), retireMs)
  }

  #withdrawRetired(): void {
    this.#retirement = undefined
    const { rib, routes } = this.#established ?? {}
    const changes = routes?.withdrawRetired()
    if (changes === undefined || rib === undefined) return
    if (changes.withdrawn > 0) this.#log.updated({ ...changes, total: rib.desired })
    this.#flush()
  }

  /** From now on every route says that it is about to go (RFC 8326). */
  drain(): void {
    this.#draining = true
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
        return this.#connections.dial()
      case 'disconnect':
        this.#detection.down()
        return this.#connections.disconnect()
      case 'adopt':
        return this.#connections.adopt()
      case 'send':
      case 'sendRival':
        if (effect.kind === 'sendRival') this.#log.collision()
        return this.#send(effect.kind === 'send' ? 'own' : 'rival', effect.message)
      case 'refuseRival':
        this.#send('rival', { kind: 'notification', error: effect.error })
        return this.#connections.dropRival()
      case 'dropRival':
        return this.#connections.dropRival()
      case 'up':
        return this.#onUp(effect.agreed)
      case 'refresh':
        this.#log.refresh(effect.family)
        this.#established?.rib.refresh(effect.family)
        return this.#flush()
      case 'faults':
        return this.#log.faults(effect.faults.map(({ attribute }) => attribute))
      case 'ended':
        return this.#onEnded(effect.ending, effect.wasEstablished)
    }
  }

  #send(slot: Slot, message: Parameters<typeof encodeMessage>[0]): void {
    this.#options.metrics.message('sent', message.kind)
    this.#connections.of(slot)?.write([encodeMessage(message, this.#contextOf(slot))])
  }

  #onFrame(slot: Slot, frame: Uint8Array): void {
    const decoded = decodeMessage(frame, this.#contextOf(slot))
    if (decoded.ok) this.#options.metrics.message('received', decoded.value.kind)
    if (slot === 'own') {
      this.#dispatch(
        decoded.ok
          ? { kind: 'message', message: decoded.value }
          : { kind: 'malformed', error: decoded.error },
      )
    } else {
      this.#dispatch(
        decoded.ok
          ? { kind: 'rivalMessage', message: decoded.value }
          : { kind: 'rivalEnded', error: decoded.error },
      )
    }
  }

  #contextOf(slot: Slot): SessionContext {
    const state = this.#state
    return slot === 'own' && 'agreed' in state ? state.agreed.context : firstContext(this.#settings)
  }

  #onConnected(slot: Slot, connection: Connection): void {
    const { peer, nodeName, interfaces, restarting } = this.#options
    const opening = {
      routerID: routerIDOf(peer, connection.local, interfaces(), nodeName),
      restarting: !this.#hasBeenUp && restarting(),
    }
    this.#dispatch({ kind: slot === 'own' ? 'connected' : 'accepted', ...opening })
  }

  #onUp(agreed: Agreed): void {
    const { metrics } = this.#options
    const rib = new AdjOut({
      context: agreed.context,
      endOfRib: agreed.wantsEndOfRib ? agreed.families : [],
      markRefresh: agreed.enhancedRefresh,
    })
    this.#established = { agreed, rib, routes: new SessionRoutes(rib) }
    this.#since = Date.now()
    this.#hasBeenUp = true
    this.#log.up(agreed.peerASN)
    metrics.up(true)
    const connection = this.#connections.of('own')
    const [local, remote] = [connection?.local, connection?.remote]
    if (connection !== undefined && local !== undefined && remote !== undefined)
      this.#detection.up(local, remote, () => connection.share())
    this.#applyRoutes()
  }

  #onEnded(ending: Ending, wasEstablished: boolean): void {
    clearTimeout(this.#retirement)
    this.#retirement = undefined
    this.#lastEnding = whyEnded(ending)
    if (wasEstablished) this.#since = Date.now()
    this.#detection.down()
    if (this.#established !== undefined && mayRestart(ending, this.#established.agreed))
      this.#detection.restarting()
    this.#established = undefined
    this.#connections.forget()
    this.#unsent = []
    this.#log.ended(ending, wasEstablished)
    this.#report()
  }

  #applyRoutes(retire = false): void {
    const local = this.#connections.of('own')?.local
    if (this.#established === undefined || local === undefined) return this.#report()
    const { peer, interfaces } = this.#options
    const { agreed, rib, routes } = this.#established
    const facts = factsOf(peer, agreed, local, interfaces(), this.#draining)
    const changes = routes.apply(this.#routes, facts, retire)
    if (changes.announced + changes.withdrawn > 0) this.#log.updated({ ...changes, total: rib.desired })
    this.#unsent = routes.unsent
    this.#log.unsent(this.#unsent)
    this.#flush()
  }

  /** Writes until the socket has enough to do; 'drain' goes on from there. */
  #flush(): void {
    const established = this.#established
    const connection = this.#connections.of('own')
    if (established === undefined || connection === undefined) return
    connection.write(this.#takeMessages(established, connection))
    this.#report()
  }

  *#takeMessages({ agreed, rib }: Established, connection: Connection): Iterable<Uint8Array> {
    while (!connection.isFull) {
      const message = rib.next()
      if (message === undefined) return
      this.#options.metrics.message('sent', message.kind)
      yield encodeMessage(message, agreed.context)
    }
  }

  #report(): void {
    const { metrics } = this.#options
    const { announced, unsent } = this.status
    if (this.#established === undefined) metrics.up(false)
    metrics.prefixes(announced, this.#routes.length)
    metrics.unsent(unsent.length)
    this.#options.onChange()
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

/** The peer went in a way that a restart of it would look like (RFC 4724 §4.2, RFC 8538 §4). */
function mayRestart(ending: Ending, { notificationRestart, peerRestartSeconds }: Agreed): boolean {
  if (peerRestartSeconds === 0) return false
  if (ending.kind === 'closed') return true
  return ending.kind === 'notificationReceived' && notificationRestart && !isHardReset(ending.error)
}
