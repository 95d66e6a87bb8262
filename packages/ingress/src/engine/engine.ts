/**
 * Changes of the observed world → the desired state of Envoy and the verdict on each object. Pure but for what it
 * remembers: the result after any history equals the result of seeing the last world at once. What it costs
 * follows the virtual hosts that a change touches; a change of endpoints touches none.
 */
import type { Key } from '@landfall/kube/model'
import type { Cluster } from '../dag/cluster.ts'
import type { JudgedKind } from '../dag/outcome.ts'
import { globalAuthorization } from '../dag/policies/authorization.ts'
import type { VirtualHost } from '../dag/virtual-host.ts'
import { clusterResource, endpointsOf } from '../envoy/cluster.ts'
import { sourceOf } from '../envoy/layout.ts'
import { httpListener, httpListenerName, httpsListener } from '../envoy/listeners.ts'
import { metricsSecrets } from '../envoy/metrics-tls.ts'
import { clusterName } from '../envoy/names.ts'
import { operationalListeners } from '../envoy/operational-listeners.ts'
import { runtimeName, runtimeResource } from '../envoy/runtime.ts'
import { httpsListenerName } from '../envoy/secure-chains.ts'
import { HostIndex } from '../model/host-index.ts'
import { type Lookups, recordingLookups } from '../model/lookups.ts'
import type { Change, SliceChange, World } from '../model/objects.ts'
import type { Resource, ResourceMap, ResourceType, Snapshot } from '../xds/resource.ts'
import type { RefusedContent, TableRefused, TableTaken } from '../xds/session/refusals.ts'
import { Chains } from './chains.ts'
import { ClientCertificate } from './client-certificate.ts'
import { Counted } from './counted.ts'
import { EndpointTables } from './endpoint-tables.ts'
import { defaultEngineOptions, type EngineOptions } from './engine-options.ts'
import { ExtensionUnits } from './extension-units.ts'
import { Refusals, type RefusedIn, type ResourceName, wantedBy } from './refusals.ts'
import { ResourceTable, type TableChange } from './resource-table.ts'
import { serversOf } from './servers.ts'
import type { Found } from './shared-table.ts'
import { SharedTables } from './shared-tables.ts'
import { type Unit, Units } from './units.ts'
import { type Verdict, Verdicts } from './verdicts.ts'

const none: ResourceMap = new Map()

/** By type; empty for a type of which nothing changed. */
export type ResourceChange = Readonly<Record<Exclude<ResourceType, 'runtime'>, TableChange>>

export class Engine {
  readonly #options: EngineOptions
  readonly #units: Units
  readonly #extensions: ExtensionUnits
  readonly #shown: ClientCertificate
  /** For what is everybody's, and looked at after each batch. */
  readonly #lookups: Lookups
  readonly #verdicts = new Verdicts()
  /** Scopes, or in the classic layouts tables of routes. */
  readonly #tables = new ResourceTable()
  readonly #shared: SharedTables
  readonly #listeners = new ResourceTable()
  readonly #clusters = new ResourceTable()
  readonly #secrets = new ResourceTable()
  readonly #endpoints = new EndpointTables()
  readonly #clustersWanted = new Counted<Cluster>()
  readonly #formerWanted = new Counted<Cluster>()
  readonly #clustersHeld = new Map<string, Cluster>()
  readonly #secretsWanted = new Counted<Resource>()
  /** Of clusters that are kept: where nobody wants a newer one. */
  readonly #secretsKept = new Counted<Resource>()
  readonly #chains: Chains
  readonly runtime: ResourceMap
  readonly #refusals = new Refusals({
    holders: (resource) => this.#mayHold(resource),
    version: (resource) => this.#versionOf(resource),
  })
  #released = new Set<Key>()
  #plainHosts = 0
  #chainsChanged = false
  /** Filters of all listeners, as text. */
  #filters: string | undefined

  /** `world` is read while changes are taken in, and must show at least those. */
  constructor(world: World, options: EngineOptions = defaultEngineOptions) {
    this.#options = options
    this.#units = new Units(world, options.classes, options.dag, options.layout)
    this.#chains = new Chains(options.layout === 'scoped')
    this.#shared = new SharedTables(options.layout)
    const traffic = [httpListenerName, httpsListenerName]
    this.runtime = new Map([[runtimeName, runtimeResource(options.runtime, traffic)]])
    this.#extensions = new ExtensionUnits(world, options.dag)
    this.#shown = new ClientCertificate(world, options.dag.clientCertificate)
    this.#lookups = recordingLookups(world, new HostIndex(world, []), [])
    const source = sourceOf(options.layout)
    for (const listener of operationalListeners(options.listeners, source)) this.#listeners.set(listener)
    for (const secret of metricsSecrets(options.listeners.metricsTls)) this.#secrets.set(secret)
  }

  /**
   * Answers the objects, as `kind:key`, whose verdict may have changed.
   * @param more of the same batch are to come: what is everybody's is made with the last
   */
  apply(changes: readonly Change[], more = false): ReadonlySet<string> {
    const judged = new Set(
      changes
        .filter(({ kind }) => kind === 'httpProxy' || kind === 'extensionService')
        .map(({ kind, key }) => `${kind}:${key}`),
    )
    const names = new Set<string>()
    this.#settleShown(changes)
    for (const { before, after } of this.#extensions.apply(changes)) {
      for (const object of this.#verdicts.replace(before, after)) judged.add(object)
      this.#replaceWanted(before, after, names)
    }
    for (const { before, after } of this.#units.apply(changes)) {
      for (const object of this.#verdicts.replace(before, after)) judged.add(object)
      this.#replaceTables(before, after)
      this.#replaceWanted(before, after, names)
      const host = (after ?? before)?.host ?? ''
      const chain = this.#chains.replace(host, before?.chain, after?.chain)
      const fallback = this.#chains.replace(host, before?.fallback, after?.fallback)
      this.#chainsChanged ||= chain || fallback
    }
    if (!more) this.#settleShared(names)
    this.#settleWanted(names)
    if (!more) this.#settleListeners()
    return judged
  }

  applySlices(changes: readonly SliceChange[]): void {
    this.#endpoints.apply(changes)
  }

  /** What is served at present. */
  virtualHosts(): Iterable<VirtualHost> {
    return this.#units.virtualHosts()
  }

  /** Filter chains of the secure listener. */
  get chains(): number {
    return this.#chains.size
  }

  verdict(kind: JudgedKind, key: Key): Verdict {
    return this.#verdicts.of(kind, key)
  }

  /** Word of an Envoy, and the version that it goes on with. */
  narrow(refused: TableRefused): Found {
    const isNew = refused.type === 'clusters' && (refused.holds ?? '') === ''
    if (isNew && this.#shared.without(refused.name)) this.apply([])
    return this.#serve(this.#shared.refused(refused)) ?? refused
  }

  /** @returns what is at fault of what was refused before; undefined: nothing was */
  taken(table: TableTaken): Found {
    return this.#serve(this.#shared.taken(table))
  }

  #serve(found: Found): Found {
    if (found !== undefined) this.apply([])
    return found
  }

  /** Known to be at fault. @returns the HTTPProxies that it concerns */
  refuse(refused: RefusedContent): readonly Key[] {
    if (this.#shared.withhold(refused)) this.apply([])
    return this.#refusals.add(refused)
  }

  /** Well again, or gone. @returns the HTTPProxies that it concerns */
  clear(resource: ResourceName): readonly Key[] {
    if (resource.type === 'clusters' && this.#shared.with(resource.name)) this.apply([])
    return this.#refusals.clear(resource)
  }

  /** HTTPProxies of which by their own change nothing is refused any more, since the last call. */
  takeReleased(): ReadonlySet<Key> {
    const released = this.#released
    this.#released = new Set()
    return released
  }

  /** The Ingresses of hosts that hold the resource, where no HTTPProxy has the host. */
  ingressesOf(resource: ResourceName): readonly Key[] {
    return this.#refusals.ingresses(resource)
  }

  /** Takes over what Envoys refuse from an engine of other options. */
  adopt(before: Engine): void {
    this.#refusals.adopt(before.#refusals)
    this.#shared.adopt(before.#shared)
    this.apply([])
  }

  /** What Envoys refuse of the host, if it is this HTTPProxy that has it. */
  refusals(host: string, root: Key): readonly RefusedIn[] {
    const unit = this.#units.of(host)
    const { layout } = this.#options
    return unit?.root === root ? this.#refusals.of(unit).map((one) => ({ ...one, layout })) : []
  }

  /** What Envoys are to hold for the host, but for its endpoints; of another HTTPProxy than the one that has it nothing. */
  wants(host: string, root: Key): readonly ResourceName[] {
    const unit = this.#units.of(host)
    return unit?.root === root ? wantedBy(unit).filter(({ type }) => type !== 'endpoints') : []
  }

  /** What Envoys are to hold for the host, whosoever has it. */
  resources(host: string): readonly ResourceName[] {
    const unit = this.#units.of(host)
    return unit === undefined ? [] : wantedBy(unit)
  }

  /** What was once said of content of the host is still to the point, and is this HTTPProxy's to say, or an Ingress's. */
  stands(host: string, root: Key | undefined, content: RefusedContent): boolean {
    const unit = this.#units.of(host)
    return unit !== undefined && unit.root === root && this.#refusals.stands(unit, content)
  }

  /** What Envoys refuse of the content that is wanted now. */
  standing(): readonly RefusedContent[] {
    return this.#refusals.standing()
  }

  #versionOf({ type, name }: ResourceName): string | undefined {
    if (type === (this.#scoped ? 'scopes' : 'routes'))
      return this.#tables.version(name) ?? this.#shared.version(name)
    if (type === 'clusters') return this.#clusters.version(name)
    if (type === 'endpoints') return this.#endpoints.table.version(name)
    return type === 'secrets' ? this.#secrets.version(name) : undefined
  }

  #mayHold({ type, name }: ResourceName): readonly Unit[] {
    const sharing = this.#shared.hosts({ type, name })
    if (sharing !== undefined) return [...sharing].flatMap((host) => this.#units.of(host) ?? [])
    if (type === 'scopes' || type === 'routes') {
      return [this.#units.of(name.slice(name.indexOf('/') + 1)) ?? []].flat()
    }
    if (type === 'secrets' && !name.includes('/')) return [this.#units.of(name) ?? []].flat()
    if (type === 'secrets') return this.#units.reading('secret', name.split('/').slice(0, 2).join('/'))
    if (type === 'endpoints' && this.#clustersHeld.get(name) === undefined)
      return this.#units.reading('service', name.split('/').slice(0, 2).join('/'))
    const cluster = type === 'clusters' || type === 'endpoints' ? this.#clustersHeld.get(name) : undefined
    if (cluster === undefined) return []
    if (cluster.kind === 'dns') return this.#units.wanting(name)
    return cluster.kind === 'extension'
      ? this.#units.reading('extensionService', `${cluster.namespace}/${cluster.name}`)
      : this.#units.reading('service', `${cluster.namespace}/${cluster.service}`)
  }

  /** The whole desired state; what led to it counts as told. */
  snapshot(): Snapshot {
    this.drain()
    return {
      clusters: this.#clusters.copy(),
      endpoints: this.#endpoints.table.copy(),
      listeners: this.#listeners.copy(),
      routes: this.#scoped ? none : this.#tables.copy(),
      scopes: this.#scoped ? this.#tables.copy() : none,
      secrets: this.#secrets.copy(),
      runtime: this.runtime,
    }
  }

  /** The same of clusters and their endpoints alone. */
  drainClusters(): Pick<ResourceChange, 'clusters' | 'endpoints'> {
    return { clusters: this.#clusters.drain(), endpoints: this.#endpoints.table.drain() }
  }

  /** What changed of the desired state since it was last told. */
  drain(): ResourceChange {
    return {
      clusters: this.#clusters.drain(),
      endpoints: this.#endpoints.table.drain(),
      listeners: this.#listeners.drain(),
      routes: this.#scoped ? none : this.#tables.drain(),
      scopes: this.#scoped ? this.#tables.drain() : none,
      secrets: this.#secrets.drain(),
    }
  }

  get #scoped(): boolean {
    return this.#options.layout === 'scoped'
  }

  #replaceTables(before: Unit | undefined, after: Unit | undefined): void {
    const kept = new Set(after?.tables.map(({ name }) => name))
    for (const { name } of before?.tables ?? []) if (!kept.has(name)) this.#tables.delete(name)
    for (const table of after?.tables ?? []) this.#tables.set(table)
    this.#plainHosts += Number(after?.plain !== undefined) - Number(before?.plain !== undefined)
    this.#shared.set((after ?? before)?.host ?? '', after)
  }

  #settleShared(names: Set<string>): void {
    for (const { table, released, keptBefore, kept } of this.#shared.take()) {
      for (const name of released)
        for (const key of this.#refusals.clear({ type: 'routes', name })) this.#released.add(key)
      this.#tables.set(table)
      for (const { clusters, secrets } of kept) {
        this.#replaceWanted(undefined, { former: clusters }, names)
        for (const secret of secrets) this.#secretsKept.retain(secret.name, secret)
      }
      for (const { clusters, secrets } of keptBefore) {
        this.#replaceWanted({ former: clusters }, undefined, names)
        for (const { name } of secrets) this.#secretsKept.release(name)
      }
      for (const { secrets } of [...kept, ...keptBefore])
        for (const { name } of secrets) names.add(`secret:${name}`)
    }
  }

  /** Counts only; what a name means is settled when all units of the batch have spoken. */
  #replaceWanted(
    before: Partial<Unit> | undefined,
    after: Partial<Unit> | undefined,
    names: Set<string>,
  ): void {
    const settle = (kind: 'clusters' | 'former', wanted: Counted<Cluster>): void => {
      for (const [name, cluster] of after?.[kind] ?? []) wanted.retain(name, cluster)
      for (const name of before?.[kind]?.keys() ?? []) wanted.release(name)
      for (const one of [before, after])
        for (const name of one?.[kind]?.keys() ?? []) names.add(`cluster:${name}`)
    }
    settle('clusters', this.#clustersWanted)
    settle('former', this.#formerWanted)
    for (const secret of after?.secrets ?? []) this.#secretsWanted.retain(secret.name, secret)
    for (const { name } of before?.secrets ?? []) this.#secretsWanted.release(name)
    for (const { name } of [...(after?.secrets ?? []), ...(before?.secrets ?? [])])
      names.add(`secret:${name}`)
  }

  #settleWanted(names: ReadonlySet<string>): void {
    for (const tagged of names) {
      const name = tagged.slice(tagged.indexOf(':') + 1)
      if (tagged.startsWith('cluster:')) this.#settleCluster(name)
      else {
        const secret = this.#secretsWanted.get(name) ?? this.#secretsKept.get(name)
        const held = secret ?? (name === this.#shown.resource?.name ? this.#shown.resource : undefined)
        if (held === undefined) this.#secrets.delete(name)
        else this.#secrets.set(held)
      }
    }
  }

  /** Clusters of Services come and go with the certificate, as their routes do; others are made anew. */
  #settleShown(changes: readonly Change[]): void {
    const before = this.#shown.resource
    const flipped = this.#shown.apply(changes)
    const { resource } = this.#shown
    if (resource !== undefined) this.#secrets.set(resource)
    else if (before !== undefined && this.#secretsWanted.get(before.name) === undefined)
      this.#secrets.delete(before.name)
    if (!flipped) return
    for (const [name, cluster] of this.#clustersHeld) this.#clusters.set(this.#encode(name, cluster))
  }

  #encode(name: string, cluster: Cluster): Resource {
    const { layout, clusters } = this.#options
    const clientCertificate = this.#shown.resource?.name
    return clusterResource(cluster, layout, { ...clusters, clientCertificate }, name)
  }

  #settleCluster(name: string): void {
    const held = this.#clustersHeld.get(name)
    const own = this.#clustersWanted.get(name)
    const wanted = own ?? this.#formerWanted.get(name)
    // The name of a Service's cluster says all of it, but for the name of its port; Contour's says less.
    if (own?.kind === 'service' && own.written === undefined && held !== undefined)
      if (clusterName(held) === name && endpointsOf(held) === endpointsOf(own)) return
    if (wanted !== undefined) {
      this.#endpoints.want(wanted)
      this.#clusters.set(this.#encode(name, wanted))
      this.#clustersHeld.set(name, wanted)
    } else {
      this.#clusters.delete(name)
      this.#clustersHeld.delete(name)
    }
    if (held !== undefined) this.#endpoints.unwant(held)
  }

  #settleListeners(): void {
    const { layout } = this.#options
    const { rateLimiting, tracing } = serversOf(this.#extensions, this.#options.dag)
    const { server: authorization } = globalAuthorization({
      lookups: this.#lookups,
      options: this.#options.dag,
    })
    const identity = JSON.stringify([rateLimiting, tracing, { ...authorization, cluster: undefined }])
    const filtersChanged = identity !== this.#filters
    this.#filters = identity
    const listeners = { ...this.#options.listeners, rateLimiting, tracing, authorization }
    if (this.#plainHosts === 0) this.#listeners.delete(httpListenerName)
    else if (filtersChanged || !this.#listeners.has(httpListenerName))
      this.#listeners.set(httpListener(listeners, layout))
    if (!this.#chainsChanged && !filtersChanged) return
    this.#chainsChanged = false
    const chains = this.#chains.all
    if (chains.length === 0) this.#listeners.delete(httpsListenerName)
    else this.#listeners.set(httpsListener(chains, listeners, layout))
  }
}
