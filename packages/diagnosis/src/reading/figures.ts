/** What an Envoy says of itself at `/stats/prometheus` → its figures. Pure text work. */
import type { EnvoyFigures } from '../cluster-view.ts'
import { samplesOf } from './samples.ts'

/** Names in Envoy's own spelling, as the query of `/stats` takes them (RE2). */
export const statsFilter =
  '^control_plane\\.connected_state$|^server\\.state$|^listener_manager\\.(total_listeners_|lds\\.update_rejected)|^cluster_manager\\.(warming_clusters|cds\\.update_rejected)|^http\\.[^.]+\\.(scoped_)?rds\\..*update_rejected$'

/** Of listeners, clusters, tables of routes and scopes. */
const rejected = /^envoy_(listener_manager_lds|cluster_manager_cds|http_(scoped_)?rds(_.*)?)_update_rejected$/

const states = ['live', 'draining', 'starting', 'starting'] as const

export function figuresOf(exposition: string): EnvoyFigures {
  const values = new Map<string, number>()
  for (const { name, value } of samplesOf(exposition)) values.set(name, (values.get(name) ?? 0) + value)
  const connected = values.get('envoy_control_plane_connected_state')
  const state = values.get('envoy_server_state')
  const sum = (...names: readonly string[]) => {
    const known = names.flatMap((name) => values.get(name) ?? [])
    return known.length === 0 ? undefined : known.reduce((all, one) => all + one, 0)
  }
  return {
    connected: connected === undefined ? undefined : connected > 0,
    state: state === undefined ? undefined : states[state],
    listeners: sum('envoy_listener_manager_total_listeners_active'),
    warming: sum('envoy_listener_manager_total_listeners_warming', 'envoy_cluster_manager_warming_clusters'),
    refused: sum(...[...values.keys()].filter((name) => rejected.test(name))),
  }
}
