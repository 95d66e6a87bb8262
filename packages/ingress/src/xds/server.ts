/**
 * The xDS server over gRPC. In: snapshots and changes, of each layout. Out: what each Envoy lacks, in an order that
 * loses no request (`session/client.ts`), and word of content that an Envoy refused.
 *
 * Which layout an Envoy follows is seen from how it comes and how old it is (`layoutFor`). Nothing is answered before
 * the first snapshot of its layout: an Envoy that is connected already keeps what it has.
 */
import {
  experimental,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import type { Logger, Metrics } from '@landfall/telemetry'
import { ByteBudget } from './budget.ts'
import { type CallCounts, CallMetrics } from './call-metrics.ts'
import { FileCertificates, type TlsFiles } from './certificates.ts'
import { isNamed } from './client-names.ts'
import { type ConnectionAge, channelOptions, type Keepalive } from './connections.ts'
import { Hubs } from './hubs.ts'
import { type Layout, layoutFor, onDemandSince, scopedSince } from './layout.ts'
import { XdsMetrics } from './metrics.ts'
import { type PeersAnswer, type PeersRequest, peersService } from './peers.ts'
import { Programming, type ProgrammingEvents, type ResourceName } from './programming.ts'
import type { Resource, ResourceType, Snapshot } from './resource.ts'
import { discoveryServices } from './services.ts'
import type { Client, Node, Settlement } from './session/client.ts'
import type { Hub, Refused } from './session/hub.ts'
import type { RefusedContent, TableTaken } from './session/refusals.ts'
import type { Change, Foreseen } from './session/store.ts'
import { type EnvoyStanding, standingsOf } from './standings.ts'
import { AdsStream, type Call, streamsOf, type Way } from './stream.ts'

export interface XdsServerOptions {
  readonly logger: Logger
  readonly metrics: Metrics
  /** Address to listen on, IPv4 or IPv6 without brackets. */
  readonly address: string
  /** 0 takes a free port; see `XdsServer.port`. */
  readonly port: number
  /** Mutual TLS from files that are read again when they change, or none at all. */
  readonly security:
    | {
        readonly kind: 'tls'
        readonly files: TlsFiles
        /** One of these DNS names has to be in the client's certificate; empty: any that the authority signed. */
        readonly clientNames: readonly string[]
      }
    | { readonly kind: 'insecure' }
  /** An Envoy refused content: reported once per content and build of Envoy. */
  readonly onRefused?: (refused: Refused, layout: Layout) => void
  /** What was refused is well again, or gone. */
  readonly onCleared?: (
    resource: { readonly type: ResourceType; readonly name: string },
    layout: Layout,
  ) => void
  /** A layout other than `scoped` is to be published from now on, or no longer. */
  readonly onLayout?: (layout: Layout, wanted: boolean) => void
  readonly onTable?: (table: TableTaken, layout: Layout) => void
  /** What `programming` answers may be another than before. */
  readonly programming?: ProgrammingEvents
  /** What the scoped layout asks of an Envoy; `chains`. */
  readonly certificates?: 'chains' | 'on-demand'
  /** `usualKeepalive`. */
  readonly keepalive?: Keepalive
  /** `usualAge`. */
  readonly age?: ConnectionAge
  /** Bytes on their way to all Envoys together; 32 MiB. */
  readonly bytesInFlight?: number
  /** Milliseconds, monotonic. */
  readonly clock?: () => number
}

export interface ConnectedEnvoy {
  readonly node: string
  readonly build: string
  readonly peer: string
}

const mebibyte = 1024 * 1024
/** After this long without a turn of the event loop, other work goes first. */
const sliceMs = 10

/** An Envoy has so long to finish what it reads before its connection closes. */
const letGoMs = 1000

export class XdsServer {
  /** Which Envoys have what. */
  readonly programming: Programming
  readonly #options: XdsServerOptions
  readonly #hubs: Hubs
  readonly #server: Server
  readonly #budget: ByteBudget
  readonly #metrics: XdsMetrics
  readonly #clock: () => number
  readonly #streams = new Set<AdsStream>()
  readonly #due = new Set<AdsStream>()
  /** What each showed when it connected. */
  readonly #shown = new Map<AdsStream, string>()
  readonly #streamOf = new WeakMap<Client, AdsStream>()
  #certificates: FileCertificates | undefined
  #draining = false
  #port = 0
  #notAfter: Date | undefined

  constructor(options: XdsServerOptions) {
    this.#options = options
    this.#metrics = new XdsMetrics(options.metrics)
    this.#clock = options.clock ?? (() => performance.now())
    this.#budget = new ByteBudget(options.bytesInFlight ?? 32 * mebibyte)
    this.#server = new Server(channelOptions(options.keepalive, options.age))
    this.#hubs = new Hubs({
      hub: (layout) => ({
        onRefused: (refused) => this.#onRefused(refused, layout),
        onCleared: (resource) => {
          options.logger.info('resourceCleared', resource)
          options.onCleared?.(resource, layout)
        },
        onAccepted: (client, type, flight) => this.programming.accepted(client, type, flight),
        onTable: (table) => options.onTable?.(table, layout),
        onWake: (client) => this.#wake(client),
      }),
      onWanted: (layout, wanted) => {
        options.logger.info(wanted ? 'layoutWanted' : 'layoutDropped', { layout })
        options.onLayout?.(layout, wanted)
      },
    })
    const unheard: ProgrammingEvents = { onLook: () => {}, onPresence: () => {} }
    this.programming = new Programming(this.#hubs, options.programming ?? unheard)
    const services = discoveryServices(new CallMetrics(options.metrics), (call, way, counts) =>
      this.#accept(call, way, counts),
    )
    for (const { definition, implementation } of services) this.#server.addService(definition, implementation)
    this.#server.addService(peersService, {
      Show: (call: ServerUnaryCall<PeersRequest, PeersAnswer>, done: sendUnaryData<PeersAnswer>) =>
        this.#show(call, done),
    })
  }

  standings(wanted: (layout: Layout) => readonly ResourceName[]): readonly EnvoyStanding[] {
    return standingsOf(this.#hubs, wanted)
  }

  /** The bound port, from `start` on. */
  get port(): number {
    return this.#port
  }

  /** True once there is a snapshot to serve. */
  get ready(): boolean {
    return this.#hubs.isPublished('scoped')
  }

  /** When the certificate that is shown ends; undefined without TLS. */
  get notAfter(): Date | undefined {
    return this.#notAfter
  }

  get envoys(): readonly ConnectedEnvoy[] {
    return [...this.#streams].flatMap(({ client, peer }) =>
      client === undefined ? [] : [{ node: client.node.id, build: client.node.build, peer }],
    )
  }

  /** Rejects when the address is taken or the certificates are not usable. */
  async start(): Promise<void> {
    const { address, port, logger } = this.#options
    const host = this.#host
    const credentials = await this.#credentials()
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`${host}:${port}`, credentials, (error, bound) => {
        if (error === null) resolve(bound)
        else reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error }))
      })
    })
    logger.info('xdsListening', { address, port: this.#port, security: this.#options.security.kind })
  }

  get #host(): string {
    const { address } = this.#options
    return address.includes(':') ? `[${address}]` : address
  }

  async #credentials(): Promise<ServerCredentials> {
    const { security, logger } = this.#options
    if (security.kind === 'insecure') return ServerCredentials.createInsecure()
    this.#certificates = new FileCertificates(security.files, logger, (notAfter) => {
      this.#notAfter = notAfter
      this.#metrics.certificate(notAfter)
    })
    await this.#certificates.start()
    // The first parameter is the identity, whatever its type is called; the provider here is both.
    const credentials = experimental.createCertificateProviderServerCredentials(
      this.#certificates,
      this.#certificates,
      true,
    )
    const base = credentials._getConstructorOptions()
    credentials._getConstructorOptions = () => ({ ...base, minVersion: 'TLSv1.3' })
    return credentials
  }

  /** Reads the certificate files now instead of at the next look. */
  async reloadCertificates(): Promise<'unchanged' | 'reloaded' | 'refused'> {
    return (await this.#certificates?.reload()) ?? 'unchanged'
  }

  /** Takes over the whole desired state. @param refused content of it that is known to be refused, and is withheld */
  publish(snapshot: Snapshot, layout: Layout = 'scoped', refused: readonly RefusedContent[] = []): void {
    const hub = this.#hubs.get(layout)
    hub?.publish(snapshot)
    hub?.recall(refused)
    for (const one of refused) this.#options.logger.warn('refusedContentWithheld', { ...one, layout })
    this.#hubs.published(layout)
    this.#scheduleAll()
  }

  /** A part of what will be published: for Envoys that have nothing. */
  foresee(change: Foreseen, layout: Layout): void {
    this.#hubs.get(layout)?.foresee(change)
    this.#scheduleAll()
  }

  /** Takes over a change of what was published; costs as much as the change, not as much as the whole. */
  apply(change: Change, layout: Layout = 'scoped'): void {
    this.#hubs.get(layout)?.apply(change)
    this.#scheduleAll()
  }

  /** The fast path: endpoints by name, undefined for those that are gone. */
  publishEndpoints(changed: ReadonlyMap<string, Resource | undefined>): void {
    this.apply({ endpoints: changed })
  }

  /** Ends every stream, frees the port. */
  async stop(): Promise<void> {
    this.#certificates?.stop()
    this.#hubs.stop()
    this.programming.stop()
    for (const stream of this.#streams) stream.end()
    await new Promise<void>((resolve) => {
      // A connection that says nothing is none that could be shut: it is not waited for.
      const timer = setTimeout(() => {
        this.#server.forceShutdown()
        resolve()
      }, 500)
      this.#server.tryShutdown(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #accept(call: Call, way: Way, counts: CallCounts): void {
    const stranger = this.#strangerIn(call)
    if (stranger !== undefined) {
      this.#options.logger.warn('clientRefused', { peer: call.getPeer() }, stranger)
      call.emit('error', { code: status.PERMISSION_DENIED, details: stranger })
      counts.handled(status.PERMISSION_DENIED)
      return
    }
    const stream: AdsStream = new AdsStream({
      call,
      way,
      counts,
      join: (node) => this.#join(stream, node, way),
      budget: this.#budget,
      logger: this.#options.logger,
      schedule: (due) => {
        if (due.client !== undefined) this.programming.heard(due.client, this.#layoutOf(due.client.node, way))
        this.#schedule(due)
      },
      events: {
        onSettled: (settled, type, settlement, error) => this.#onSettled(settled, type, settlement, error),
        onSent: (type, bytes) => this.#metrics.sent(type, bytes),
        onGateTimeouts: (count) => this.#metrics.gateTimeouts(count),
        onClosed: (closed) => {
          this.#streams.delete(closed)
          this.#shown.delete(closed)
          this.#due.delete(closed)
          this.#metrics.streams(this.#streams.size)
          if (closed.client !== undefined) {
            const { node } = closed.client
            this.programming.left(closed.client)
            this.#hubs.leave(this.#layoutOf(node, way), node.build)
          }
          this.#options.logger.info('streamClosed', { peer, node: closed.client?.node.id })
        },
      },
    })
    const peer = stream.peer
    const { sslPeerCertificate } = call.getAuthContext()
    if (sslPeerCertificate !== undefined) this.#shown.set(stream, sslPeerCertificate.fingerprint256)
    this.#streams.add(stream)
    this.#metrics.streams(this.#streams.size)
    this.#options.logger.info('streamOpened', { peer })
  }

  #show(call: ServerUnaryCall<PeersRequest, PeersAnswer>, done: sendUnaryData<PeersAnswer>): void {
    const stranger = this.#strangerIn(call)
    if (stranger !== undefined) return done({ code: status.PERMISSION_DENIED, details: stranger })
    const clients = [...this.#shown.values()]
    done(null, { clients })
    const { letGoUnless } = call.request
    if (letGoUnless === undefined || clients.every((one) => one === letGoUnless)) return
    this.#options.logger.info('connectionsLetGo', { why: 'an Envoy shows an old certificate' })
    this.#server.drain(`${this.#host}:${this.#port}`, letGoMs)
  }

  /** Why the client may not follow; undefined: it may. */
  #strangerIn(call: Pick<Call, 'getAuthContext'>): string | undefined {
    const { security } = this.#options
    if (security.kind === 'insecure') return undefined
    const certificate = call.getAuthContext().sslPeerCertificate
    if (isNamed(certificate, security.clientNames)) return undefined
    const names = security.clientNames.join(' or ')
    return `the client's certificate does not name ${names}: ${certificate?.subjectaltname ?? 'it has no names'}`
  }

  #join(stream: AdsStream, node: Node, way: Way): { readonly hub: Hub; readonly client: Client } {
    const hub = this.#hubs.join(this.#layoutOf(node, way))
    const client = hub.connect(node, streamsOf(way))
    this.#streamOf.set(client, stream)
    return { hub, client }
  }

  #layoutOf(node: Node, way: Way): Layout {
    return layoutFor(node, way, this.#options.certificates === 'on-demand' ? onDemandSince : scopedSince)
  }

  #wake(client: Client): void {
    const stream = this.#streamOf.get(client)
    if (stream !== undefined) this.#schedule(stream)
  }

  #onSettled(stream: AdsStream, type: ResourceType, settlement: Settlement, error: string | undefined): void {
    this.#metrics.settled(type, settlement.kind)
    if (settlement.kind !== 'refused') return
    const { flight, culprit } = settlement
    this.#options.logger.warn('responseRefused', {
      node: stream.client?.node.id,
      type,
      resources: flight.resources.length,
      name: culprit?.name,
      error,
    })
  }

  #onRefused(refused: Refused, layout: Layout): void {
    this.#metrics.refused(refused.type)
    this.#options.logger.error('resourceRefused', { ...refused, layout })
    this.#options.onRefused?.(refused, layout)
    this.#scheduleAll()
  }

  #scheduleAll(): void {
    for (const stream of this.#streams) this.#due.add(stream)
    if (!this.#draining) this.#drain()
  }

  #schedule(stream: AdsStream): void {
    this.#due.add(stream)
    if (!this.#draining) this.#drain()
  }

  /** Gives each stream that is due its turn, and the event loop one in between. */
  #drain(): void {
    this.#draining = true
    const start = this.#clock()
    for (const stream of this.#due) {
      const now = this.#clock()
      if (now - start > sliceMs) {
        setImmediate(() => this.#drain())
        return
      }
      this.#due.delete(stream)
      if (this.#mayServe(stream)) stream.send(now)
    }
    this.#draining = false
  }

  #mayServe({ client, way }: AdsStream): boolean {
    if (client === undefined) return false
    const layout = this.#layoutOf(client.node, way)
    return this.#hubs.isPublished(layout) || this.#hubs.get(layout)?.isForeseen === true
  }
}
