/**
 * The classic layout's tables of routes: `ingress_http` for all plain hosts, `https/<host>` for each secure one,
 * `ingress_fallbackcert` for all that are served to clients which name no host
 * (envoy.config.route.v3.RouteConfiguration). An entry of the plain table is encoded once, with its host: the table
 * is its head followed by its entries, as protobuf lets fields be concatenated.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { RouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/route'
import { type Access, openAccess } from '../dag/access.ts'
import { type HostFilters, noHostFilters } from '../dag/filters.ts'
import type { HeaderMatch } from '../dag/match.ts'
import type { Route, SecureSide } from '../dag/virtual-host.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import { scopeName } from './names.ts'
import { clustersOf, misdirected, tableSettings, virtualHostEntry } from './virtual-host.ts'

export const plainTableName = 'ingress_http'
export const fallbackTableName = 'ingress_fallbackcert'

type SecureHttp = Extract<SecureSide, { readonly kind: 'http' }>

/** What a host puts into the plain table. */
export interface PlainEntry {
  readonly bytes: Uint8Array
  /** Names of the clusters that it needs. */
  readonly clusters: readonly string[]
}

export function plainEntry(
  host: string,
  routes: readonly Route[],
  filters: HostFilters,
  access: Access,
): PlainEntry {
  const table = create(RouteConfigurationSchema, { virtualHosts: [entry(host, routes, filters, access)] })
  return { bytes: toBinary(RouteConfigurationSchema, table), clusters: clustersOf(routes) }
}

/** Of a host of which nothing is good: 503 to every request. */
export function unavailableEntry(host: string): PlainEntry {
  const match = { path: { kind: 'prefix', value: '/' }, headers: [], query: [] } as const
  const route = { match, action: { kind: 'respond', status: 503 }, owner: 'refused', rule: '' } as const
  return plainEntry(host, [route], noHostFilters, openAccess)
}

/** `entries` sorted by host. @param variant above 0 makes it another table that routes the same */
export function joinedTable(name: string, entries: readonly PlainEntry[], variant = 0): Resource {
  const metadata = variant === 0 ? {} : { metadata: { filterMetadata: { landfall: { variant } } } }
  const head = create(RouteConfigurationSchema, { ...tableSettings, ...metadata, name })
  const bytes = Buffer.concat([
    toBinary(RouteConfigurationSchema, head),
    ...entries.map((each) => each.bytes),
  ])
  const clusters = [...new Set(entries.flatMap((each) => each.clusters))].toSorted()
  return makeResource(name, bytes, { clusters })
}

export function secureTable(
  host: string,
  { routes, access }: Pick<SecureHttp, 'routes' | 'access'>,
  filters: HostFilters,
): Resource {
  const name = secureTableName(host)
  const virtualHosts = [entry(host, routes, filters, access), misdirected(access)]
  const message = create(RouteConfigurationSchema, { ...tableSettings, name, virtualHosts })
  return makeResource(name, toBinary(RouteConfigurationSchema, message), { clusters: clustersOf(routes) })
}

export function secureTableName(host: string): string {
  return scopeName('https', host)
}

function entry(
  host: string,
  routes: readonly Route[],
  filters: HostFilters,
  access: Access,
): ReturnType<typeof virtualHostEntry> {
  if (!host.startsWith('*.')) return virtualHostEntry(host, routes, filters, access)
  const only = oneLabel(host)
  const bound = routes.map(({ match, ...route }) => ({
    ...route,
    match: { ...match, headers: [...match.headers, only] },
  }))
  return virtualHostEntry(host, bound, filters, access)
}

/** Envoy's `*.` stands for any number of labels; ours for one. */
function oneLabel(host: string): HeaderMatch {
  const value = `(?i)[^.]+${host.slice(1).replaceAll('.', '\\.')}(:[0-9]+)?`
  const plain = { invert: false, ignoreCase: false, missingAsEmpty: false }
  return { name: ':authority', kind: 'regex', value, ...plain }
}
