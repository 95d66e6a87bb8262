/** One route of an HTTPProxy, with the conditions of the includes above it → a Route, or why the object is refused. */

import type { HTTPProxy, HTTPProxyRoute, HTTPProxyService, MatchCondition } from '@landfall/api'
import { keyOf } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { type ConditionProblem, checkConditions, isRegex, mergeConditions } from './conditions.ts'
import { error, type Problem } from './problem.ts'
import { resolveService } from './upstream.ts'
import type { Action, Cluster, Route, Strategy, WeightedCluster } from './virtual-host.ts'

export interface ProxyRouteResult {
  /** undefined: the route is refused, and with it every route of its object. */
  readonly route: Route | undefined
  readonly permitInsecure: boolean
  readonly problems: readonly Problem[]
}

/** The largest sum of weights that Envoy takes. */
const maximumWeight = 0xffffffff

export function translateRoute(
  proxy: HTTPProxy,
  index: number,
  route: HTTPProxyRoute,
  above: readonly (readonly MatchCondition[])[],
  lookups: Lookups,
): ProxyRouteResult {
  const field = `spec.routes[${index}]`
  const permitInsecure = route.permitInsecure === true
  const fatal = [
    ...checkConditions(route.conditions ?? [], 'route').map((problem) => conditionError(field, problem)),
    ...actionProblems(field, route),
  ]
  const match = mergeConditions([...above, route.conditions ?? []])
  if (fatal.length === 0 && match.path.kind === 'regex' && !isRegex(match.path.value)) {
    const message = `${field}.conditions: joined with its includes, "${match.path.value}" is not an RE2 regex`
    fatal.push(error('RouteError', 'PathMatchConditionsNotValid', message))
  }
  if (fatal.length > 0) return { route: undefined, permitInsecure, problems: fatal }
  const { action, problems } = forward(proxy, field, route, lookups)
  return { route: { match, action, owner: ownerOf(proxy) }, permitInsecure, problems }
}

export function ownerOf(proxy: HTTPProxy): string {
  return `HTTPProxy/${keyOf(proxy.meta)}`
}

const conditionReasons = {
  path: 'PathMatchConditionsNotValid',
  header: 'HeaderMatchConditionsNotValid',
  query: 'QueryParameterMatchConditionsNotValid',
} as const

export function conditionError(field: string, problem: ConditionProblem): Problem {
  return error('RouteError', conditionReasons[problem.kind], `${field}.${problem.message}`)
}

function actionProblems(field: string, route: HTTPProxyRoute): readonly Problem[] {
  const services = route.services ?? []
  if (services.length === 0) {
    const message = `${field}: exactly one of services, requestRedirectPolicy and directResponsePolicy is needed`
    return [error('RouteError', 'RouteActionCountNotValid', message)]
  }
  const strategy = route.loadBalancerPolicy?.strategy ?? ''
  if (hashing.includes(strategy)) {
    const message = `${field}.loadBalancerPolicy.strategy: "${strategy}" is not supported by this version`
    return [error('SpecError', 'NotSupported', message)]
  }
  const sum = services.reduce((total, service) => total + (service.weight ?? 0), 0)
  if (sum > maximumWeight) {
    const message = `${field}.services: the weights add up to ${sum}, above ${maximumWeight}`
    return [error('RouteError', 'ServiceWeightsNotValid', message)]
  }
  return services.flatMap((service, at) =>
    ['', 'h2', 'h2c', 'tls'].includes(service.protocol ?? '')
      ? []
      : [
          error(
            'ServiceError',
            'UnsupportedProtocol',
            `${field}.services[${at}].protocol: "${service.protocol}" is none of h2, h2c and tls`,
          ),
        ],
  )
}

function forward(
  proxy: HTTPProxy,
  field: string,
  route: HTTPProxyRoute,
  lookups: Lookups,
): { readonly action: Action; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const found: { service: HTTPProxyService; cluster: Cluster }[] = []
  const strategy = strategyOf(route.loadBalancerPolicy?.strategy)
  for (const [index, service] of (route.services ?? []).entries()) {
    const reference = {
      namespace: proxy.meta.namespace,
      name: service.name,
      port: service.port,
      protocol: service.protocol ?? '',
      strategy,
    }
    const resolved = resolveService(reference, lookups)
    if (resolved.ok) found.push({ service, cluster: resolved.cluster })
    else {
      const message = `${field}.services[${index}]: ${resolved.why}`
      problems.push(error('ServiceError', 'ServiceUnresolvedReference', message))
    }
  }
  if (found.length === 0) return { action: { kind: 'respond', status: 503 }, problems }
  const websockets = route.enableWebsockets === true
  return { action: { kind: 'forward', clusters: weigh(found), websockets }, problems }
}

/** No weight anywhere: all the same. Any weight: the others count for nothing. */
function weigh(
  found: readonly { service: HTTPProxyService; cluster: Cluster }[],
): readonly WeightedCluster[] {
  const total = found.reduce((sum, { service }) => sum + (service.weight ?? 0), 0)
  return found.map(({ service, cluster }) => ({ cluster, weight: total === 0 ? 1 : (service.weight ?? 0) }))
}

const hashing = ['Cookie', 'RequestHash']

/** A name that is none of Contour's means RoundRobin. */
function strategyOf(name: string | undefined): Strategy {
  return name === 'WeightedLeastRequest' || name === 'Random' ? name : 'RoundRobin'
}
