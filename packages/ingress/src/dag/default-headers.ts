/**
 * Headers that the configuration sets or removes on every route: what a route says itself goes before. Of Ingresses
 * only where the configuration says so.
 */
import type { Cluster } from './cluster.ts'
import type { DagOptions, DefaultHeaders, HeaderDefaults } from './options.ts'
import { readHeaders } from './policies/headers.ts'
import type { Forward, HeaderEdits, Route, VirtualHost } from './virtual-host.ts'

export function withDefaultHeaders(host: VirtualHost, { headers }: DagOptions): VirtualHost {
  if (isEmpty(headers.request) && isEmpty(headers.response)) return host
  const both = (routes: readonly Route[]) => routes.map((route) => edited(route, headers))
  const { secure } = host
  return {
    ...host,
    plain: both(host.plain),
    secure: secure?.kind === 'http' ? { ...secure, routes: both(secure.routes) } : secure,
  }
}

function isEmpty({ set, remove }: HeaderDefaults): boolean {
  return remove.length === 0 && Object.keys(set).length === 0
}

function edited(route: Route, headers: DefaultHeaders): Route {
  const { action, owner } = route
  const [kind, namespace = ''] = owner.split('/')
  if (action.kind !== 'forward' || (kind === 'Ingress' && !headers.applyToIngress)) return route
  const withRequest = merged('request', headers.request, namespace, action)
  return { ...route, action: merged('response', headers.response, namespace, withRequest) }
}

const fields = { request: 'requestHeaders', response: 'responseHeaders' } as const

interface Default {
  readonly name: string
  /** undefined: it is removed. */
  readonly value: string | undefined
}

/**
 * What a Service says goes before, too. Envoy applies what stands with the route after what stands with the Service, so
 * that a default which some Service of the route overrides, or which names the Service, stands with the Services.
 */
function merged(
  direction: 'request' | 'response',
  defaults: HeaderDefaults,
  namespace: string,
  action: Forward,
): Forward {
  const own = action[fields[direction]]
  const all: readonly Default[] = [
    ...Object.entries(defaults.set).map(([name, value]) => ({ name, value })),
    ...defaults.remove.map((name) => ({ name, value: undefined })),
  ]
  const left = all.filter(({ name }) => !mentions(own, name))
  const apart = left.filter(
    ({ name, value }) =>
      /%CONTOUR_SERVICE_(NAME|PORT)%/.test(value ?? '') ||
      action.clusters.some((cluster) => mentions(cluster[direction], name)),
  )
  const variables = { CONTOUR_NAMESPACE: namespace }
  const shared = left.filter((one) => !apart.includes(one))
  return {
    ...action,
    [fields[direction]]: added(direction, own, shared, variables),
    clusters:
      apart.length === 0
        ? action.clusters
        : action.clusters.map((cluster) => ({
            ...cluster,
            [direction]: added(
              direction,
              cluster[direction],
              apart.filter(({ name }) => !mentions(cluster[direction], name)),
              { ...variables, ...serviceVariables(cluster.cluster) },
            ),
          })),
  }
}

function mentions({ set, remove }: HeaderEdits, name: string): boolean {
  const low = name.toLowerCase()
  return remove.includes(low) || set.some((one) => one.name.toLowerCase() === low)
}

function serviceVariables(cluster: Cluster): Readonly<Record<string, string>> {
  if (cluster.kind !== 'service') return {}
  return { CONTOUR_SERVICE_NAME: cluster.service, CONTOUR_SERVICE_PORT: String(cluster.port) }
}

function added(
  direction: 'request' | 'response',
  own: HeaderEdits,
  defaults: readonly Default[],
  variables: Readonly<Record<string, string>>,
): HeaderEdits {
  if (defaults.length === 0) return own
  const policy = {
    set: defaults.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }])),
    remove: defaults.flatMap(({ name, value }) => (value === undefined ? [name] : [])),
  }
  const read = readHeaders(policy, { field: 'policy', of: 'route', direction, variables })
  if (!read.ok) return own
  const { set, remove } = read.value.edits
  return { set: [...set, ...own.set], remove: [...new Set([...own.remove, ...remove])] }
}
