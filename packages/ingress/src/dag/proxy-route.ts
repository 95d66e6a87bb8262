/** One route of an HTTPProxy, with the conditions of the includes above it → a Route, or why the object is refused. */
import type { HTTPProxy, HTTPProxyRoute, MatchCondition } from '@landfall/api'
import { keyOf } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { type ConditionProblem, checkConditions, isRegex, mergeConditions } from './conditions.ts'
import type { RouteMatch } from './match.ts'
import { readDirectResponse, readRedirect } from './policies/answers.ts'
import { type HostRules, readRouteFilters } from './policies/filters.ts'
import { type Checked, error, ok, type Problem, refused } from './problem.ts'
import { translateForward } from './proxy-forward.ts'
import type { Reading } from './reading.ts'
import type { Action, Route } from './virtual-host.ts'

export interface ProxyRouteResult {
  /** undefined: the route is refused, and with it every route of its object. */
  readonly route: Route | undefined
  readonly permitInsecure: boolean
  readonly problems: readonly Problem[]
}

export function translateRoute(
  proxy: HTTPProxy,
  index: number,
  route: HTTPProxyRoute,
  above: readonly (readonly MatchCondition[])[],
  lookups: Lookups,
  host: HostRules,
): ProxyRouteResult {
  const field = `spec.routes[${index}]`
  const permitInsecure = route.permitInsecure === true
  const match = mergeConditions([...above, route.conditions ?? []])
  const fatal = checkConditions(route.conditions ?? [], 'route').map((problem) =>
    conditionError(field, problem),
  )
  if (fatal.length === 0 && match.path.kind === 'regex' && !isRegex(match.path.value)) {
    const message = `${field}.conditions: joined with its includes, "${match.path.value}" is not an RE2 regex`
    fatal.push(error('RouteError', 'PathMatchConditionsNotValid', message))
  }
  const action = actionOf(proxy, field, route, match, { lookups, options: host.options })
  if (!action.ok) fatal.push(...action.problems)
  const filters = readRouteFilters(field, route, host)
  if (!filters.ok) fatal.push(...filters.problems)
  if (!action.ok || !filters.ok || fatal.length > 0)
    return { route: undefined, permitInsecure, problems: fatal }
  const { value, problems } = action.value
  return {
    route: { match, action: value, owner: ownerOf(proxy), filters: filters.value.filters },
    permitInsecure,
    problems: [...problems, ...filters.value.warnings],
  }
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

interface WithProblems {
  readonly value: Action
  /** They leave the route served, or answered with 503. */
  readonly problems: readonly Problem[]
}

function actionOf(
  proxy: HTTPProxy,
  field: string,
  route: HTTPProxyRoute,
  match: RouteMatch,
  reading: Reading,
): Checked<WithProblems> {
  const services = route.services ?? []
  const { requestRedirectPolicy, directResponsePolicy } = route
  const actions = [
    services.length > 0,
    requestRedirectPolicy !== undefined,
    directResponsePolicy !== undefined,
  ]
  if (actions.filter(Boolean).length !== 1) {
    const message = `${field}: exactly one of services, requestRedirectPolicy and directResponsePolicy is needed`
    return refused(error('RouteError', 'RouteActionCountNotValid', message))
  }
  if (requestRedirectPolicy !== undefined) return quiet(readRedirect(field, requestRedirectPolicy))
  if (directResponsePolicy !== undefined) return quiet(readDirectResponse(field, directResponsePolicy))
  return translateForward(proxy, field, route, match, reading)
}

function quiet(action: Checked<Action>): Checked<WithProblems> {
  return action.ok ? ok({ value: action.value, problems: [] }) : action
}
