/**
 * Headers that the configuration sets or removes on every route: what a route says itself goes before. Of Ingresses
 * only where the configuration says so.
 */

import type { DagOptions, DefaultHeaders, HeaderDefaults } from './options.ts'
import { readHeaders } from './policies/headers.ts'
import type { HeaderEdits, Route, VirtualHost } from './virtual-host.ts'

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
  const requestHeaders = merged('request', headers.request, namespace, action.requestHeaders)
  const responseHeaders = merged('response', headers.response, namespace, action.responseHeaders)
  return { ...route, action: { ...action, requestHeaders, responseHeaders } }
}

function merged(
  direction: 'request' | 'response',
  defaults: HeaderDefaults,
  namespace: string,
  own: HeaderEdits,
): HeaderEdits {
  const policy = {
    set: Object.entries(defaults.set).map(([name, value]) => ({ name, value })),
    remove: defaults.remove,
  }
  const variables = { CONTOUR_NAMESPACE: namespace }
  const read = readHeaders(policy, { field: 'policy', of: 'route', direction, variables })
  if (!read.ok) return own
  const said = new Set([...own.set.map(({ name }) => name.toLowerCase()), ...own.remove])
  const { set, remove } = read.value.edits
  return {
    set: [...set.filter(({ name }) => !said.has(name.toLowerCase())), ...own.set],
    remove: [...new Set([...own.remove, ...remove.filter((name) => !said.has(name))])],
  }
}
