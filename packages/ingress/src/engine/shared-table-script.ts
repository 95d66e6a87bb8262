/** For tests: entries that answer with their content, and what a table says of them. */
import { fromBinary } from '@bufbuild/protobuf'
import { RouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/route'
import { openAccess } from '../dag/access.ts'
import type { Cluster } from '../dag/cluster.ts'
import { noHostFilters } from '../dag/filters.ts'
import { plainEntry } from '../envoy/route-table.ts'
import type { Resource } from '../xds/resource.ts'
import type { TableRefused, TableTaken } from '../xds/session/refusals.ts'
import type { Needs, SharedTable } from './shared-table.ts'

export const hosts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
export const unavailable = 'status 503'

export function entry(host: string, content: string) {
  const match = { path: { kind: 'prefix', value: '/' }, headers: [], query: [] } as const
  const action = { kind: 'respond', status: 200, body: content } as const
  return plainEntry(host, [{ match, action, owner: host, rule: '' }], noHostFilters, openAccess)
}

/** Host → what it answers. */
export function contents({ bytes }: Resource): Readonly<Record<string, string>> {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, bytes)
  return Object.fromEntries(
    virtualHosts.map(({ name, routes }) => {
      const answer = routes[0]?.action
      if (answer?.case !== 'directResponse') throw new Error('no answer')
      const { status, body } = answer.value
      return [name, body?.specifier.case === 'inlineString' ? body.specifier.value : `status ${status}`]
    }),
  )
}

/** A stand-in of the right name is enough: they are handed on as they are. */
export function needsOf(content = ''): Needs {
  return { clusters: new Map([[`of ${content}`, {} as Cluster]]), secrets: [] }
}

/** By an Envoy of the first build, beside one of another. */
export function refusalOf({ name, version }: Resource, holds: string | undefined): TableRefused {
  return { type: 'routes', name, version, build: '1', message: 'no', holds, isAlone: false }
}

export function takenBy(build: string, { name, version }: Resource, isAlone = false): TableTaken {
  return { name, version, build, isAlone: () => isAlone }
}

/** What an Envoy of the first build took, and the table that it is sent next. */
export function underway(table: SharedTable): Resource {
  const served = table.take()
  if (served === undefined) throw new Error('nothing is served')
  return served.table
}
