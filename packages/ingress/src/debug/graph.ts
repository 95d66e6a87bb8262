/** What is served, as a graph in columns: listeners, virtual hosts, routes, clusters. Pure, and the same for the same input. */

import type { RouteMatch } from '../dag/match.ts'
import { type Action, clustersOfAction, type Route, type VirtualHost } from '../dag/virtual-host.ts'
import { clusterName } from '../envoy/names.ts'

export const columns = ['listener', 'host', 'route', 'cluster'] as const

export interface Node {
  readonly id: string
  readonly column: (typeof columns)[number]
  readonly lines: readonly string[]
}

export interface Edge {
  readonly from: string
  readonly to: string
  /** Weight; undefined where there is nothing to share. */
  readonly weight?: number | undefined
}

export interface Graph {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
}

/** @param hosts in any order */
export function graphOf(hosts: Iterable<VirtualHost>): Graph {
  const nodes = new Map<string, Node>()
  const edges: Edge[] = []
  const add = (id: string, column: Node['column'], ...lines: string[]): string => {
    nodes.set(id, { id, column, lines })
    return id
  }
  const join = (from: string, to: string, weight?: number): void => {
    edges.push({ from, to, weight })
  }
  for (const { host, plain, secure } of [...hosts].toSorted((a, b) => (a.host < b.host ? -1 : 1))) {
    const side = (listener: string, routes: readonly Route[], ...more: string[]): void => {
      const at = add(`${listener}/${host}`, 'host', host, ...more)
      join(add(listener, 'listener', listener), at)
      for (const [index, route] of routes.entries()) {
        const id = add(
          `${at}#${index}`,
          'route',
          matchText(route.match),
          route.owner,
          actionText(route.action),
        )
        join(at, id)
        for (const { name, weight } of targetsOf(route.action)) join(id, add(name, 'cluster', name), weight)
      }
    }
    if (plain.length > 0) side('ingress_http', plain)
    if (secure?.kind === 'http') side('ingress_https', secure.routes, `secret ${secure.tls.settings.secret}`)
    if (secure?.kind === 'tcp') {
      const how = secure.tls === undefined ? 'passed on' : `secret ${secure.tls.settings.secret}`
      const at = add(`ingress_https/${host}`, 'host', host, how)
      join(add('ingress_https', 'listener', 'ingress_https'), at)
      const id = add(`${at}#tcp`, 'route', 'streams')
      join(at, id)
      for (const { cluster, weight } of secure.targets) {
        const name = clusterName(cluster)
        join(id, add(name, 'cluster', name), weight)
      }
    }
  }
  return { nodes: [...nodes.values()], edges }
}

function targetsOf(
  action: Action,
): readonly { readonly name: string; readonly weight: number | undefined }[] {
  if (action.kind !== 'forward') return []
  const shared = action.clusters.length > 1
  const weights = new Map(action.clusters.map(({ cluster, weight }) => [clusterName(cluster), weight]))
  const names = [...new Set(clustersOfAction(action).map((cluster) => clusterName(cluster)))]
  return names.map((name) => ({ name, weight: shared ? weights.get(name) : undefined }))
}

const paths = { exact: 'path', regex: 'regex', prefix: 'prefix', segment: 'prefix' } as const

export function matchText({ path, headers, query }: RouteMatch): string {
  const more = [
    ...headers.map(
      ({ name, kind, value, invert }) => `header ${name} ${invert ? 'not ' : ''}${kind} ${value}`,
    ),
    ...query.map(({ name, kind, value }) => `query ${name} ${kind} ${value}`),
  ]
  return [`${paths[path.kind]} ${path.value}`, ...more.map((text) => text.trim())].join(', ')
}

function actionText(action: Action): string {
  switch (action.kind) {
    case 'forward':
      return action.prefixRewrite === undefined ? 'forward' : `forward as ${action.prefixRewrite}`
    case 'redirect':
      return `redirect ${action.status}`
    case 'https-redirect':
      return 'redirect to https'
    default:
      return `answer ${action.status}`
  }
}
