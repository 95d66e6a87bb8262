/**
 * BGP: brings each peer's session and routes to what the plan says.
 *
 * In: a plan, whole, whenever it changes. A peer whose parameters are unchanged keeps its session; one that changed
 * restarts alone. Out: sessions, routes, and what was observed of them.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Interface } from '@landfall/net'
import type { Logger, Metrics } from '@landfall/telemetry'
import type { FromBfd, ToBfd } from '../bfd/index.ts'
import type { BgpPeerPlan, BgpPlan } from '../plan/bgp-plan.ts'
import { type BgpError, bgpError, ceaseReason, errorCode, shutdownText } from './codec/index.ts'
import { type PeerStatus, Session } from './session.ts'
import { nameOfPeer } from './session-log.ts'
import { SessionMetrics } from './session-metrics.ts'

export type { UnsentRoute } from './rib/index.ts'
export type { PeerStatus } from './session.ts'

export interface BgpSpeakerOptions {
  readonly logger: Logger
  readonly metrics: Metrics
  /** Gives the router ID where no IPv4 address does, and stands in the text of a shutdown. */
  readonly nodeName: string
  /** The node's interfaces now; asked on each connect and each change of routes, so a watched value. */
  readonly interfaces: () => readonly Interface[]
  /** To BFD in the worker thread; what it answers goes to `observedBfd`. */
  readonly bfd?: (message: ToBfd) => void
}

interface Held {
  readonly peer: BgpPeerPlan
  readonly session: Session
}

export class BgpSpeaker {
  readonly #options: BgpSpeakerOptions
  readonly #metrics: SessionMetrics
  readonly #held = new Map<string, Held>()
  readonly #ending = new Map<string, Promise<void>>()
  #stopped = false

  constructor(options: BgpSpeakerOptions) {
    this.#options = options
    this.#metrics = new SessionMetrics(options.metrics)
  }

  /** Takes effect at once; never waits for a peer. Ignored after `stop`. */
  apply(plan: BgpPlan): void {
    if (this.#stopped) return
    const wanted = new Set(plan.peers.map(({ name }) => name))
    for (const [name, { peer }] of this.#held) {
      if (!wanted.has(name)) this.#remove(peer)
    }
    for (const peer of plan.peers) this.#applyPeer(peer)
  }

  /** What `interfaces` gives changed: routes may have another next hop, or one at last. */
  interfacesChanged(): void {
    for (const { peer, session } of this.#held.values()) session.setRoutes(peer.routes)
  }

  /** What BFD observed. */
  observedBfd(message: FromBfd): void {
    if (message.kind === 'state') this.#held.get(message.id)?.session.setHeld(message.held)
  }

  /** One entry a peer, sorted by name. */
  status(): readonly PeerStatus[] {
    return [...this.#held.values()]
      .map(({ session }) => session.status)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Every peer is told Cease/Administrative Shutdown, on which it drops our routes; done within a second. */
  async stop(): Promise<void> {
    this.#stopped = true
    const text = shutdownText(`speaker on ${this.#options.nodeName} stops`)
    const error = bgpError(errorCode.cease, ceaseReason.administrativeShutdown, text)
    for (const { peer } of this.#held.values()) this.#end(peer, error)
    await Promise.all(this.#ending.values())
  }

  #applyPeer(peer: BgpPeerPlan): void {
    const held = this.#held.get(peer.name)
    if (held === undefined) {
      this.#log('peerAdded', peer, 'peer added')
      return this.#begin(peer)
    }
    if (isDeepStrictEqual(withoutMoving(held.peer), withoutMoving(peer))) {
      this.#held.set(peer.name, { peer, session: held.session })
      if (!isDeepStrictEqual(held.peer.bfd, peer.bfd)) held.session.setBfd(peer.bfd)
      return held.session.setRoutes(peer.routes)
    }
    this.#log('peerChanged', peer, 'peer changed, its session restarts')
    this.#end(held.peer, bgpError(errorCode.cease, ceaseReason.otherConfigurationChange))
    this.#begin(peer)
  }

  #remove(peer: BgpPeerPlan): void {
    this.#log('peerRemoved', peer, 'peer removed')
    this.#end(peer, bgpError(errorCode.cease, ceaseReason.peerDeconfigured))
  }

  /** A session of the same name that is still saying goodbye goes first: its peer would see two of us. */
  #begin(peer: BgpPeerPlan): void {
    const { logger, nodeName, interfaces, bfd = () => {} } = this.#options
    const session = new Session({
      peer,
      nodeName,
      interfaces,
      logger,
      bfd,
      metrics: this.#metrics.of(nameOfPeer(peer)),
    })
    this.#held.set(peer.name, { peer, session })
    const before = this.#ending.get(peer.name)
    const start = () => {
      if (this.#held.get(peer.name)?.session === session) session.start()
    }
    if (before === undefined) start()
    else void before.then(start)
  }

  #end(peer: BgpPeerPlan, error: BgpError): void {
    const { name } = peer
    const held = this.#held.get(name)
    if (held === undefined) return
    this.#held.delete(name)
    const ending = Promise.all([held.session.stop(error), this.#ending.get(name)]).then(() => {
      if (this.#ending.get(name) === ending) this.#ending.delete(name)
    })
    this.#ending.set(name, ending)
    this.#forgetMetrics(peer)
  }

  /** Two peers may share an address and port for a moment; the one that stays keeps the metrics. */
  #forgetMetrics(peer: BgpPeerPlan): void {
    const label = nameOfPeer(peer)
    if (![...this.#held.values()].some((held) => nameOfPeer(held.peer) === label)) this.#metrics.remove(label)
  }

  #log(event: string, peer: BgpPeerPlan, msg: string): void {
    const { name, myASN, peerASN } = peer
    this.#options.logger.info(event, { name, localASN: myASN, peer: nameOfPeer(peer), peerASN }, msg)
  }
}

/** What of a peer may not change while its session lasts. */
function withoutMoving({ routes: _routes, bfd: _bfd, ...parameters }: BgpPeerPlan): object {
  return parameters
}
