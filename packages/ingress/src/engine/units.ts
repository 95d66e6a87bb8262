/**
 * The virtual hosts, each translated on its own and again only when something that it read has changed. In: changes
 * of objects. Out: the units that came out differently.
 */
import type { Key } from '@landfall/kube/model'
import { clustersOfAccess } from '../dag/access.ts'
import type { Cluster, TrustBundle } from '../dag/cluster.ts'
import type { DagOptions } from '../dag/options.ts'
import type { Outcome } from '../dag/outcome.ts'
import { globalAuthorization } from '../dag/policies/authorization.ts'
import { translateHost } from '../dag/translate.ts'
import { clustersOfAction, type VirtualHost } from '../dag/virtual-host.ts'
import { clusterName, formerName } from '../envoy/names.ts'
import { type PlainEntry, plainEntry, secureTable } from '../envoy/route-table.ts'
import { scopes } from '../envoy/scope.ts'
import { hostSecret, secretResource, trustResource } from '../envoy/secret.ts'
import { accessIdentity, type ChainRequest, isGuarded } from '../envoy/secure-chains.ts'
import { HostIndex } from '../model/host-index.ts'
import { type Lookups, readOf, recordingLookups } from '../model/lookups.ts'
import type { Change, World } from '../model/objects.ts'
import type { Layout } from '../xds/layout.ts'
import type { Resource } from '../xds/resource.ts'
import { Readers } from './readers.ts'

/** What one host wants Envoy to hold, and what it says about its objects. */
export interface Unit {
  readonly host: string
  /** Its scopes or, in the classic layouts, its table of secure routes. */
  readonly tables: readonly Resource[]
  /** Its routes on the plain listener; only `true` where they are among the tables. */
  readonly plain: PlainEntry | true | undefined
  readonly clusters: ReadonlyMap<string, Cluster>
  /** To be found under these names too, as long as nothing has them for its own. */
  readonly former: ReadonlyMap<string, Cluster>
  readonly chain: ChainRequest | undefined
  /** The chain for clients that name no host, if it is to be served to those. */
  readonly fallback: ChainRequest | undefined
  /** Its routes there, in the classic layouts. */
  readonly fallbackEntry: PlainEntry | undefined
  readonly secrets: readonly Resource[]
  readonly outcomes: readonly Outcome[]
  /** The root HTTPProxy that has the host. */
  readonly root: Key | undefined
}

export interface UnitChange {
  readonly before: Unit | undefined
  readonly after: Unit | undefined
}

export class Units {
  readonly #world: World
  readonly #classes: readonly string[]
  readonly #options: DagOptions
  readonly #layout: Layout
  readonly #hosts: HostIndex
  readonly #units = new Map<string, Unit>()
  readonly #readers = new Readers()

  constructor(world: World, classes: readonly string[], options: DagOptions, layout: Layout) {
    this.#world = world
    this.#classes = classes
    this.#options = layout === 'classic-streams' ? { ...options, contourNames: true } : options
    this.#layout = layout
    this.#hosts = new HostIndex(world, classes)
  }

  apply(changes: readonly Change[]): readonly UnitChange[] {
    const dirty = new Set<string>()
    for (const change of changes) {
      for (const host of this.#hosts.apply(change)) dirty.add(host)
      for (const host of this.#readers.concernedBy(change)) dirty.add(host)
    }
    return [...dirty].toSorted().map((host) => this.#translate(host))
  }

  of(host: string): Unit | undefined {
    return this.#units.get(host)
  }

  /** Translated anew: only what Envoy is to hold is kept. */
  *virtualHosts(): Iterable<VirtualHost> {
    for (const host of this.#units.keys()) {
      const lookups = recordingLookups(this.#world, this.#hosts, this.#classes)
      const { virtualHost } = translateHost(host, lookups, this.#options)
      if (virtualHost !== undefined) yield virtualHost
    }
  }

  /** The hosts whose translation has read an object. */
  reading(kind: 'service' | 'secret' | 'extensionService', key: Key): readonly Unit[] {
    return [...this.#readers.of(readOf(kind, key))].flatMap((host) => this.of(host) ?? [])
  }

  /** The hosts that want a cluster; looks at all of them. */
  wanting(cluster: string): readonly Unit[] {
    return [...this.#units.values()].filter(({ clusters }) => clusters.has(cluster))
  }

  #translate(host: string): UnitChange {
    const before = this.#units.get(host)
    if (this.#hosts.ingresses(host).length === 0 && this.#hosts.proxies(host).length === 0) {
      this.#units.delete(host)
      this.#readers.set(host, new Set())
      return { before, after: undefined }
    }
    const lookups = recordingLookups(this.#world, this.#hosts, this.#classes)
    const { virtualHost, outcomes, root } = translateHost(host, lookups, this.#options)
    const onDemand = this.#onDemand(virtualHost, lookups)
    const after: Unit = { host, ...encode(virtualHost, this.#layout, onDemand), outcomes, root }
    this.#units.set(host, after)
    this.#readers.set(host, lookups.reads)
    return { before, after }
  }

  /** The certificate is fetched at the handshake: the host has it to itself, and wants nothing that others do not. */
  #onDemand(virtualHost: VirtualHost | undefined, lookups: Lookups): boolean {
    const { certificates, tls: defaults } = this.#options
    const { host = '', secure } = virtualHost ?? {}
    if (certificates !== 'on-demand' || this.#layout !== 'scoped' || secure?.kind !== 'http') return false
    const { settings, keyPair } = secure.tls
    if (host.startsWith('*.') || settings.clients !== undefined || settings.forward !== undefined)
      return false
    if (settings.minimum !== defaults.minimum || settings.maximum !== defaults.maximum) return false
    const { server: authorization } = globalAuthorization({ lookups, options: this.#options })
    const usual = accessIdentity({ authorization, providers: [] })
    return keyPair.names.includes(host) && accessIdentity(secure.access) === usual
  }
}

type Encoded = Omit<Unit, 'host' | 'outcomes' | 'root'>

const nothing: Encoded = {
  tables: [],
  plain: undefined,
  clusters: new Map(),
  former: new Map(),
  chain: undefined,
  fallback: undefined,
  fallbackEntry: undefined,
  secrets: [],
}

function encode(virtualHost: VirtualHost | undefined, layout: Layout, onDemand: boolean): Encoded {
  if (virtualHost === undefined) return nothing
  const { host, plain, plainAccess, secure, filters } = virtualHost
  const own = layout === 'scoped'
  const tables = own
    ? scopes(virtualHost)
    : secure?.kind !== 'http'
      ? []
      : [secureTable(host, secure, filters)]
  const clusters = clustersOf(virtualHost)
  return {
    tables,
    plain: plain.length === 0 ? undefined : own || plainEntry(host, plain, filters, plainAccess),
    clusters,
    former: layout === 'classic-streams' ? formerOf(clusters.values()) : nothing.former,
    chain: chainOf(host, secure, onDemand),
    ...fallbackOf(virtualHost, own),
    secrets: secretsOf(virtualHost, clusters.values(), onDemand),
  }
}

/** Each once. */
function secretsOf(
  { host, secure }: VirtualHost,
  clusters: Iterable<Cluster>,
  onDemand: boolean,
): readonly Resource[] {
  const tls = secure?.tls
  const pair = tls && (onDemand ? hostSecret(host, tls.keyPair) : secretResource(tls.keyPair))
  const own = pair === undefined ? [] : [pair, ...trusted(tls?.trust)]
  const fallback = secure?.kind === 'http' ? secure.fallback : undefined
  const shared = fallback === undefined ? [] : [secretResource(fallback.keyPair)]
  const upstream = [...clusters].flatMap(({ authority }) => trusted(authority))
  return [...new Map([...own, ...shared, ...upstream].map((secret) => [secret.name, secret])).values()]
}

function trusted(bundle: TrustBundle | undefined): readonly Resource[] {
  return bundle === undefined ? [] : [trustResource(bundle)]
}

function fallbackOf(
  { host, plainAccess, secure, filters }: VirtualHost,
  own: boolean,
): Pick<Encoded, 'fallback' | 'fallbackEntry'> {
  if (secure?.kind !== 'http' || secure.fallback === undefined)
    return { fallback: undefined, fallbackEntry: undefined }
  return {
    fallback: { kind: 'fallback', settings: secure.fallback.settings },
    fallbackEntry: own ? undefined : plainEntry(host, secure.routes, filters, plainAccess),
  }
}

function chainOf(host: string, secure: VirtualHost['secure'], onDemand: boolean): ChainRequest | undefined {
  if (secure === undefined) return undefined
  if (secure.kind === 'http') {
    const { access, tls } = secure
    const { minimum, maximum } = tls.settings
    if (onDemand) return { kind: 'on-demand', minimum, maximum, access }
    const guarded = isGuarded(tls.settings, access)
    const wildcards = guarded ? [] : tls.keyPair.names.filter((name) => name.startsWith('*.'))
    return { kind: 'http', settings: tls.settings, access, wildcards }
  }
  return { kind: 'tcp', host, settings: secure.tls?.settings, targets: secure.targets }
}

/** By the names that Contour has for them. */
function formerOf(clusters: Iterable<Cluster>): ReadonlyMap<string, Cluster> {
  return new Map(
    [...clusters].flatMap((cluster): readonly (readonly [string, Cluster])[] => {
      const name = formerName(cluster)
      return name === undefined ? [] : [[name, cluster]]
    }),
  )
}

function clustersOf({ plain, secure }: VirtualHost): ReadonlyMap<string, Cluster> {
  const routes = secure?.kind === 'http' ? secure.routes : []
  const streams = secure?.kind === 'tcp' ? secure.targets.map(({ cluster }) => cluster) : []
  const requests = [...plain, ...routes].flatMap(({ action }) =>
    action.kind === 'forward' ? clustersOfAction(action) : [],
  )
  const asked = secure?.kind === 'http' ? clustersOfAccess(secure.access) : []
  const wanted = [...requests, ...streams, ...asked]
  return new Map(wanted.map((cluster) => [clusterName(cluster), cluster]))
}
