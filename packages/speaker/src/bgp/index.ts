/**
 * BGP: brings each peer's session and routes to what the plan says.
 *
 * In: a plan, whole, whenever it changes. A peer whose parameters are unchanged keeps its session; one that changed
 * restarts alone. Out: sessions, routes, and what was observed of them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Interface } from '@landfall/net'
import type { IP } from '@landfall/netip'
import type { Logger, Metrics } from '@landfall/telemetry'
import type { FromBfd, ToBfd } from '../bfd/index.ts'
import type { BgpPeerPlan, BgpPlan } from '../plan/bgp-plan.ts'
import { paceConcern } from './bfd-pace.ts'
import { BfdReport, type BfdStatus } from './bfd-report.ts'
import { type BgpError, bgpError, ceaseReason, errorCode, shutdownText } from './codec/index.ts'
import { LinkRouters } from './discovery/link-routers.ts'
import { endsOf } from './ends.ts'
import { type Caller, Listener } from './listener.ts'
import { type PeerStatus, Session } from './session.ts'
import { knownASN, nameOfPeer } from './session-log.ts'
import { type PeerLabels, type PeerMetrics, SessionMetrics } from './session-metrics.ts'
import { restartSeconds } from './session-settings.ts'

export type { BfdStatus } from './bfd-report.ts'
export { describeUnsent, type UnsentRoute } from './rib/index.ts'
export type { PeerStatus } from './session.ts'

export interface BgpSpeakerOptions {
  readonly logger: Logger
  readonly metrics: Metrics
  /** Gives the router ID where no IPv4 address does, and stands in the text of a shutdown. */
  readonly nodeName: string
  /** The node's interfaces now; asked on each connect and each change of routes, so a watched value. */
  readonly interfaces: () => readonly Interface[]
  /** Port to listen on for peers that dial; undefined: none. */
  readonly listenPort?: number
  /** To BFD in the worker thread; what it answers goes to `observedBfd`. */
  readonly bfd: (message: ToBfd) => void
  /** The processor time that this process may take, in cores; undefined: no limit. */
  readonly cpuQuota?: number | undefined
  /** How long routes of a node that is being taken out say so before they are withdrawn; 0 unless given. */
  readonly retireMs?: number
  /** `status` may answer something else; called often. */
  readonly onStatus?: () => void
}

export interface SessionStatus extends PeerStatus {
  readonly bfd: BfdStatus | undefined
  /** Its BFD is quicker than what is known to hold, in words for people. */
  readonly fastBfd: string | undefined
}

export interface BgpStop {
  readonly restart?: boolean
  readonly drainMs?: number
}

interface Held {
  readonly peer: BgpPeerPlan
  readonly session: Session
  readonly metrics: PeerMetrics
}

export class BgpSpeaker {
  readonly #options: BgpSpeakerOptions
  readonly #metrics: SessionMetrics
  readonly #bfd: BfdReport
  readonly #held = new Map<string, Held>()
  readonly #ending = new Map<string, Promise<void>>()
  readonly #routers: LinkRouters
  readonly #listener: Listener | undefined
  readonly #restartingUntil = performance.now() + restartSeconds * 1000
  #stopped = false

  /** Throws SystemError when the port to listen on cannot be had. */
  constructor(options: BgpSpeakerOptions) {
    const { logger, listenPort } = options
    this.#options = options
    this.#metrics = new SessionMetrics(options.metrics)
    this.#bfd = new BfdReport(logger, options.metrics)
    this.#routers = new LinkRouters({
      interfaces: options.interfaces,
      logger,
      onRouter: (name) => {
        for (const { peer, session } of this.#held.values()) if (peer.interface === name) session.found()
      },
    })
    this.#listener = listenPort === undefined ? undefined : new Listener(listenPort, logger)
  }

  /** Takes effect at once; never waits for a peer. Ignored after `stop`. */
  apply(plan: BgpPlan): void {
    if (this.#stopped) return
    const wanted = new Set(plan.peers.map(({ name }) => name))
    for (const [name, { peer }] of this.#held) {
      if (!wanted.has(name)) this.#remove(peer)
    }
    this.#routers.setInterfaces(plan.peers.flatMap((peer) => peer.interface ?? []))
    const retireMs = plan.retiring === true ? (this.#options.retireMs ?? 0) : 0
    for (const peer of plan.peers) this.#applyPeer(peer, retireMs)
    this.#listener?.setCallers([...this.#held.values()].flatMap((held) => this.#callerOf(held)))
  }

  /** What `interfaces` gives changed: routes may have another next hop, or one at last. */
  interfacesChanged(): void {
    this.#routers.interfacesChanged()
    for (const { peer, session } of this.#held.values()) session.setRoutes(peer.routes)
  }

  /** What BFD observed. */
  observedBfd(message: FromBfd): void {
    this.#bfd.observe(message, (id) => {
      const held = this.#held.get(id)
      return held?.session.hasBfd === true ? labelsOf(held.peer) : undefined
    })
    if (message.kind !== 'counts') this.#options.onStatus?.()
    if (message.kind !== 'state') return
    const session = this.#held.get(message.id)?.session
    if (session?.hasBfd === true) session.setHeld(message.held)
  }

  /** Some peer agreed to keep our routes over a restart. */
  get mayRestart(): boolean {
    return [...this.#held.values()].some(({ session }) => session.keepsRoutes)
  }

  /** One entry a peer, sorted by name. */
  status(): readonly SessionStatus[] {
    const { cpuQuota } = this.#options
    return [...this.#held.values()]
      .map(({ peer, session }) => ({
        ...session.status,
        bfd: this.#bfd.of(peer.name),
        fastBfd: paceConcern(peer.bfd, cpuQuota),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Every peer is told Cease/Administrative Shutdown, on which it drops our routes; done within a second. `restart`:
   * peers that agreed to a graceful restart are left without a word, and keep them, and links of unnumbered sessions hear no
   * goodbye. To the others every route says for `drainMs` that it is about to go (RFC 8326), so that they move to other paths
   * first.
   */
  async stop({ restart = false, drainMs = 0 }: BgpStop = {}): Promise<void> {
    this.#stopped = true
    const text = shutdownText(`speaker on ${this.#options.nodeName} stops`)
    const error = bgpError(errorCode.cease, ceaseReason.administrativeShutdown, text)
    const all = [...this.#held.values()]
    if (restart) for (const { peer, session } of all) if (session.keepsRoutes) this.#end(peer, error, true)
    if (drainMs > 0 && this.#drain()) await sleep(drainMs)
    for (const { peer } of all) this.#end(peer, error)
    this.#routers.close(restart)
    await Promise.all([...this.#ending.values(), this.#listener?.close()])
  }

  /** Whether anybody hears of it. */
  #drain(): boolean {
    const up = [...this.#held.values()].filter(({ session }) => session.status.state === 'established')
    for (const { session } of up) session.drain()
    return up.some(({ session }) => session.status.announced + session.status.pending > 0)
  }

  #applyPeer(peer: BgpPeerPlan, retireMs: number): void {
    const held = this.#held.get(peer.name)
    if (held === undefined) {
      this.#log('peerAdded', peer, 'peer added')
      this.#warnOfPace(peer)
      return this.#begin(peer)
    }
    if (isDeepStrictEqual(withoutMoving(held.peer), withoutMoving(peer))) {
      this.#held.set(peer.name, { ...held, peer })
      if (!isDeepStrictEqual(held.peer.bfd, peer.bfd)) {
        this.#warnOfPace(peer)
        held.session.setBfd(peer.bfd)
        if (!held.session.hasBfd) this.#bfd.forget(peer.name, labelsOf(peer))
      }
      return held.session.setRoutes(peer.routes, retireMs)
    }
    this.#log('peerChanged', peer, 'peer changed, its session restarts')
    this.#end(held.peer, bgpError(errorCode.cease, ceaseReason.otherConfigurationChange))
    this.#begin(peer)
  }

  #warnOfPace(peer: BgpPeerPlan): void {
    const concern = paceConcern(peer.bfd, this.#options.cpuQuota)
    if (concern !== undefined) this.#options.logger.warn('fastBFD', { peer: nameOfPeer(peer) }, concern)
  }

  #remove(peer: BgpPeerPlan): void {
    this.#log('peerRemoved', peer, 'peer removed')
    this.#end(peer, bgpError(errorCode.cease, ceaseReason.peerDeconfigured))
  }

  /** A session of the same name that is still saying goodbye goes first: its peer would see two of us. */
  #begin(peer: BgpPeerPlan): void {
    const { logger, nodeName, interfaces, bfd } = this.#options
    const metrics = this.#metrics.of(labelsOf(peer))
    const session = new Session({
      peer,
      nodeName,
      interfaces,
      logger,
      bfd,
      listening: this.#listener !== undefined,
      metrics,
      neighbor: (name) => this.#routers.of(name),
      restarting: () => performance.now() < this.#restartingUntil,
      onChange: () => this.#options.onStatus?.(),
    })
    this.#held.set(peer.name, { peer, session, metrics })
    const before = this.#ending.get(peer.name)
    const start = () => {
      if (this.#held.get(peer.name)?.session === session) session.start()
    }
    if (before === undefined) start()
    else void before.then(start)
  }

  #end(peer: BgpPeerPlan, error: BgpError, restart = false): void {
    const { name } = peer
    const held = this.#held.get(name)
    if (held === undefined) return
    this.#held.delete(name)
    this.#bfd.forget(name, labelsOf(peer))
    const ended = restart ? held.session.leave(error) : held.session.stop(error)
    const ending = Promise.all([ended, this.#ending.get(name)]).then(() => {
      if (this.#ending.get(name) === ending) this.#ending.delete(name)
    })
    this.#ending.set(name, ending)
    held.metrics.remove()
  }

  #callerOf({ peer, session }: Held): readonly Caller[] {
    const { address, password } = peer
    if (address === undefined) return []
    const local = (): IP | undefined => {
      const ends = endsOf(peer, this.#options.interfaces(), () => undefined)
      return ends.kind === 'ends' ? ends.local : undefined
    }
    const waits = (): boolean => session.status.state !== 'established' && peer.passive === true
    return [{ address, password, local, waits, accept: (socket) => session.accept(socket) }]
  }

  #log(event: string, peer: BgpPeerPlan, msg: string): void {
    const { name, myASN: localASN } = peer
    this.#options.logger.info(event, { name, localASN, peer: nameOfPeer(peer), ...knownASN(peer) }, msg)
  }
}

/** What of a peer may not change while its session lasts. */
function withoutMoving({ routes: _routes, bfd: _bfd, ...parameters }: BgpPeerPlan): object {
  return parameters
}

function labelsOf(peer: BgpPeerPlan): PeerLabels {
  return { peer: nameOfPeer(peer), vrf: peer.vrf ?? 'default' }
}
