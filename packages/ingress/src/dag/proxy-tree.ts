/**
 * A root HTTPProxy and what it includes → routes, and for each object of the tree what is wrong with it. A refused
 * object adds no route, nor do the objects below it; what is wrong with a child is told on the child alone.
 */
import type { HTTPProxy, HTTPProxyInclude, MatchCondition } from '@landfall/api'
import { type Key, keyOf } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { checkConditions, mergeConditions } from './conditions.ts'
import { unsupportedFields } from './honoured-fields.ts'
import type { HostRules } from './policies/filters.ts'
import { error, type Problem } from './problem.ts'
import { ownerOf, translateRoute } from './proxy-route.ts'
import { identityOf } from './route-order.ts'
import type { Route } from './virtual-host.ts'

export interface ProxyTreeRoute {
  readonly route: Route
  /** Served on the plain listener too, instead of a redirect, when the host has TLS. */
  readonly permitInsecure: boolean
}

export interface ProxyTree {
  readonly routes: readonly ProxyTreeRoute[]
  /** Every object that the tree reached, the root among them. */
  readonly problems: ReadonlyMap<Key, readonly Problem[]>
  /** The root asks for what is not supported. */
  readonly unsupported: boolean
}

type Blocks = readonly (readonly MatchCondition[])[]

interface Walk {
  readonly lookups: Lookups
  readonly host: HostRules
  readonly problems: Map<Key, Problem[]>
}

export function translateTree(root: HTTPProxy, lookups: Lookups, host: HostRules): ProxyTree {
  const walk: Walk = { lookups, host, problems: new Map() }
  const routes = visit(root, [], [keyOf(root.meta)], walk)
  const own = walk.problems.get(keyOf(root.meta)) ?? []
  const unsupported = own.some(({ reason }) => reason === 'NotSupported')
  return { routes, problems: walk.problems, unsupported }
}

function visit(proxy: HTTPProxy, above: Blocks, path: readonly Key[], walk: Walk): readonly ProxyTreeRoute[] {
  const problems = problemsOf(proxy, walk)
  const unsupported = unsupportedFields(proxy.spec)
  note(problems, unsupported)
  const included = includes(proxy, above, path, walk, problems)
  const own = (proxy.spec.routes ?? []).map((route, index) =>
    translateRoute(proxy, index, route, above, walk.lookups, walk.host),
  )
  for (const result of own) note(problems, result.problems)
  const routes = own.flatMap(({ route, permitInsecure }) =>
    route === undefined ? [] : [{ route, permitInsecure }],
  )
  const refused = unsupported.length > 0 || routes.length < own.length
  return refused ? [] : [...included, ...routes]
}

function includes(
  proxy: HTTPProxy,
  above: Blocks,
  path: readonly Key[],
  walk: Walk,
  problems: Problem[],
): readonly ProxyTreeRoute[] {
  const list = proxy.spec.includes ?? []
  const bad = list.flatMap((include, index) => includeProblems(list, include, index))
  note(problems, bad)
  if (bad.length > 0) return []
  return list.flatMap((include, index) => {
    const child = resolve(proxy, include, index, path, walk)
    const conditions = include.conditions ?? []
    const blocks = [...above, conditions]
    if (child.kind === 'found') return visit(child.proxy, blocks, [...path, keyOf(child.proxy.meta)], walk)
    note(problems, [child.problem])
    return child.unavailable && conditions.length > 0 ? [unavailable(proxy, blocks)] : []
  })
}

type Child =
  | { readonly kind: 'found'; readonly proxy: HTTPProxy }
  | { readonly kind: 'none'; readonly problem: Problem; readonly unavailable: boolean }

function resolve(
  proxy: HTTPProxy,
  include: HTTPProxyInclude,
  index: number,
  path: readonly Key[],
  walk: Walk,
): Child {
  const key = `${include.namespace || proxy.meta.namespace}/${include.name}`
  const none = (reason: string, why: string, unavailable: boolean): Child => ({
    kind: 'none',
    problem: error('IncludeError', reason, `spec.includes[${index}]: ${why}`),
    unavailable,
  })
  const child = walk.lookups.proxy(key)
  if (child === undefined) return none('IncludeNotFound', `include "${key}" not found`, true)
  if (child.spec.virtualhost !== undefined) {
    return none('RootIncludesRoot', `root httpproxy cannot include the root httpproxy "${key}"`, true)
  }
  if (path.includes(key)) {
    const circle = [...path, key].join(' -> ')
    return none('IncludeCreatesCycle', `include creates an include cycle: ${circle}`, false)
  }
  return { kind: 'found', proxy: child }
}

function includeProblems(
  list: readonly HTTPProxyInclude[],
  include: HTTPProxyInclude,
  index: number,
): readonly Problem[] {
  const field = `spec.includes[${index}]`
  const conditions = include.conditions ?? []
  const reasons = {
    path: ['IncludeError', 'PathMatchConditionsNotValid'],
    header: ['RouteError', 'HeaderMatchConditionsNotValid'],
    query: ['RouteError', 'QueryParameterMatchConditionsNotValid'],
  } as const
  const wrong = checkConditions(conditions, 'include').map((problem) => {
    const [type, reason] = reasons[problem.kind]
    return error(type, reason, `${field}.${problem.message}`)
  })
  const identity = identityOf(mergeConditions([conditions]))
  const twin = list.findIndex((other) => identityOf(mergeConditions([other.conditions ?? []])) === identity)
  if (twin === index || identity === anything) return wrong
  const message = `${field}: the same conditions as spec.includes[${twin}]`
  return [...wrong, error('IncludeError', 'DuplicateMatchConditions', message)]
}

/** No condition at all, or a lone prefix `/`: may be repeated. */
const anything = identityOf(mergeConditions([]))

function unavailable(proxy: HTTPProxy, blocks: Blocks): ProxyTreeRoute {
  const match = mergeConditions(blocks)
  return {
    route: { match, action: { kind: 'respond', status: 502 }, owner: ownerOf(proxy) },
    permitInsecure: false,
  }
}

function problemsOf(proxy: HTTPProxy, walk: Walk): Problem[] {
  const key = keyOf(proxy.meta)
  const found = walk.problems.get(key) ?? []
  walk.problems.set(key, found)
  return found
}

/** An object reached twice says a thing once. */
function note(problems: Problem[], more: readonly Problem[]): void {
  for (const problem of more) {
    const known = problems.some(
      (other) =>
        other.type === problem.type && other.reason === problem.reason && other.message === problem.message,
    )
    if (!known) problems.push(problem)
  }
}
