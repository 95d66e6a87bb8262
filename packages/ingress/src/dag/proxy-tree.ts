/**
 * A root HTTPProxy and what it includes → routes, and for each object of the tree what is wrong with it. A refused
 * object adds no route, nor do the objects below it; a bad include adds none, and the others serve. What is wrong with a
 * child is told on the child alone.
 */
import type { HTTPProxy, HTTPProxyInclude, MatchCondition } from '@landfall/api'
import { type Key, keyOf } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { checkConditions, mergeConditions } from './conditions.ts'
import { unsupportedFields } from './honoured-fields.ts'
import { IncludeBound } from './include-bound.ts'
import type { HostRules } from './policies/filters.ts'
import { foreignAnnotations } from './policies/foreign-annotations.ts'
import { error, type Problem } from './problem.ts'
import { ownerOf, silentConditions, translateRoute } from './proxy-route.ts'
import { regexProblems } from './regexes.ts'
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

/** By what they say: an object reached twice says a thing once. */
type Problems = Map<string, Problem>

interface Walk {
  readonly lookups: Lookups
  readonly host: HostRules
  readonly problems: Map<Key, Problems>
  /** What was said of each include that closes a circle: ways into it there may be by the thousand. */
  readonly circles: Map<string, Child>
  readonly bound: IncludeBound
  /** What is wrong with each include of an object, however often it is reached. */
  readonly checked: Map<Key, readonly (readonly Problem[])[]>
}

export function translateTree(root: HTTPProxy, lookups: Lookups, host: HostRules): ProxyTree {
  const bound = new IncludeBound(root)
  const walk: Walk = { lookups, host, problems: new Map(), circles: new Map(), bound, checked: new Map() }
  const routes = visit(root, [], [keyOf(root.meta)], walk)
  const own = problemsOf(root, walk)
  const unsupported = [...own.values()].some(({ reason }) => reason === 'NotSupported')
  const problems = new Map([...walk.problems].map(([key, all]) => [key, [...all.values()]]))
  return { routes, problems, unsupported }
}

const classes = new Set(['projectcontour.io/ingress.class', 'kubernetes.io/ingress.class'])

function visit(proxy: HTTPProxy, above: Blocks, path: readonly Key[], walk: Walk): readonly ProxyTreeRoute[] {
  const problems = problemsOf(proxy, walk)
  const unsupported = unsupportedFields(proxy.spec)
  note(problems, unsupported)
  note(problems, foreignAnnotations(proxy.meta.annotations, 'HTTPProxy', classes))
  const large = regexProblems(proxy.spec)
  note(problems, large)
  if (large.length > 0) return []
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
  problems: Problems,
): readonly ProxyTreeRoute[] {
  const list = proxy.spec.includes ?? []
  const key = keyOf(proxy.meta)
  const checked = walk.checked.get(key) ?? includesProblems(list)
  walk.checked.set(key, checked)
  return list.flatMap((include, index) => {
    const bad = checked[index] ?? []
    note(problems, bad)
    if (bad.length > 0) return []
    note(problems, silentConditions(`spec.includes[${index}]`, include.conditions))
    const child = resolve(proxy, include, index, path, walk)
    const conditions = include.conditions ?? []
    const blocks = [...above, conditions]
    if (child.kind === 'found') return visit(child.proxy, blocks, [...path, keyOf(child.proxy.meta)], walk)
    note(problems, [child.problem])
    return child.unavailable && conditions.length > 0 ? [unavailable(proxy, index, blocks)] : []
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
    const edge = `${keyOf(proxy.meta)} ${index}`
    const way = () => `include creates an include cycle: ${[...path, key].join(' -> ')}`
    const circle = walk.circles.get(edge) ?? none('IncludeCreatesCycle', way(), false)
    walk.circles.set(edge, circle)
    return circle
  }
  const refusal = walk.bound.refusal(child, path.length)
  if (refusal !== undefined) return none('TooManyIncludes', `include "${key}" is left out: ${refusal}`, false)
  return { kind: 'found', proxy: child }
}

/** For each include. */
function includesProblems(list: readonly HTTPProxyInclude[]): readonly (readonly Problem[])[] {
  const firsts = new Map<string, number>()
  return list.map((include, index) => {
    const identity = writtenAs(include.conditions ?? [])
    const twin = firsts.get(identity) ?? index
    firsts.set(identity, twin)
    return includeProblems(include, index, identity === anything ? index : twin)
  })
}

function includeProblems(include: HTTPProxyInclude, index: number, twin: number): readonly Problem[] {
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
  if (twin === index) return wrong
  const message = `${field}: the same conditions as spec.includes[${twin}]`
  return [...wrong, error('IncludeError', 'DuplicateMatchConditions', message)]
}

/** No condition at all, or a lone prefix `/`: may be repeated. */
const anything = writtenAs([])

/** Names of headers that differ in their case only are others here, as with Contour. */
function writtenAs(conditions: readonly MatchCondition[]): string {
  const match = mergeConditions([conditions])
  return JSON.stringify([identityOf(match), match.headers.map(({ name }) => name).toSorted()])
}

function unavailable(proxy: HTTPProxy, index: number, blocks: Blocks): ProxyTreeRoute {
  const match = mergeConditions(blocks)
  const action = { kind: 'respond', status: 502 } as const
  const rule = `spec.includes[${index}]`
  return { route: { match, action, owner: ownerOf(proxy), rule }, permitInsecure: false }
}

function problemsOf(proxy: HTTPProxy, walk: Walk): Problems {
  const key = keyOf(proxy.meta)
  const found = walk.problems.get(key) ?? new Map()
  walk.problems.set(key, found)
  return found
}

function note(problems: Problems, more: readonly Problem[]): void {
  for (const problem of more) {
    const text = `${problem.type} ${problem.reason} ${problem.message}`
    if (!problems.has(text)) problems.set(text, problem)
  }
}
