/** One route of an HTTPProxy, with the conditions of the includes above it → a Route, or why the object is refused. */
import type { HTTPProxy, HTTPProxyRoute, MatchCondition } from '@landfall/api'
import { keyOf } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import {
  type ConditionProblem,
  checkConditions,
  checkTogether,
  mergeConditions,
  silentConditionParts,
} from './conditions.ts'
import type { RouteMatch } from './match.ts'
import { readDirectResponse, readOwnAnswer, readRedirect, type WithProblems } from './policies/answers.ts'
import { type HostRules, readRouteFilters } from './policies/filters.ts'
import { ignored } from './policies/ignored-fields.ts'
import { type Checked, error, type Problem, refused } from './problem.ts'
import { translateForward } from './proxy-forward.ts'
import type { Reading } from './reading.ts'
import { isRegex } from './regex.ts'
import type { Route } from './virtual-host.ts'

type Conditions = readonly MatchCondition[]

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
  above: readonly Conditions[],
  lookups: Lookups,
  host: HostRules,
): ProxyRouteResult {
  const field = `spec.routes[${index}]`
  const permitInsecure = route.permitInsecure === true
  const match = mergeConditions([...above, route.conditions ?? []])
  const own = checkConditions(route.conditions ?? [], 'route')
  const joined = own.length > 0 ? [] : checkTogether([...above.flat(), ...(route.conditions ?? [])])
  const fatal = [
    ...own.map((problem) => conditionError(field, problem)),
    ...joined.map(({ kind, message }) =>
      conditionError(field, { kind, message: `${message}, joined with the conditions of its includes` }),
    ),
  ]
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
    route: { match, action: value, owner: ownerOf(proxy), rule: field, filters: filters.value.filters },
    permitInsecure,
    problems: [
      ...problems,
      ...filters.value.warnings,
      ...silentConditions(field, route.conditions),
      ...(permitInsecure && host.options.disablePermitInsecure
        ? [
            ignored(
              `${field}.permitInsecure: ignored, as the configuration forbids it (disablePermitInsecure)`,
            ),
          ]
        : []),
    ],
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

export function silentConditions(field: string, conditions: Conditions | undefined): readonly Problem[] {
  return silentConditionParts(conditions ?? []).map((part) => ignored(`${field}.conditions.${part}`))
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
  if (requestRedirectPolicy !== undefined)
    return readOwnAnswer(proxy, field, route, readRedirect(field, requestRedirectPolicy))
  if (directResponsePolicy !== undefined)
    return readOwnAnswer(proxy, field, route, readDirectResponse(field, directResponsePolicy))
  return translateForward(proxy, field, route, match, reading)
}
