/** `loadBalancerPolicy` of a route, and `slowStartPolicy` of its services. */
import { type HTTPProxyRoute, type HTTPProxyService, parseGoDuration } from '@landfall/api'
import type { SlowStart, Strategy } from '../cluster.ts'
import { type Checked, error, ok, type Problem, refused, warning } from '../problem.ts'
import type { HashPolicy } from '../virtual-host.ts'
import { hasControl } from './control-characters.ts'
import { longestMs } from './durations.ts'

export interface LoadBalancing {
  readonly strategy: Strategy
  readonly hash: readonly HashPolicy[]
  /** Of what is left out. */
  readonly warnings: readonly Problem[]
  readonly errors: readonly Problem[]
}

const sessionCookie: HashPolicy = { kind: 'cookie', name: 'X-Contour-Session-Affinity', terminal: true }

const quiet = { warnings: [], errors: [] } as const

/** A name that is none of Contour's means RoundRobin. */
export function readLoadBalancing(
  field: string,
  policy: HTTPProxyRoute['loadBalancerPolicy'],
): LoadBalancing {
  const strategy = policy?.strategy ?? ''
  if (strategy === 'Cookie') return { strategy: 'RingHash', hash: [sessionCookie], ...quiet }
  if (strategy === 'RequestHash') return requestHash(field, policy?.requestHashPolicies ?? [])
  if (strategy === 'WeightedLeastRequest' || strategy === 'Random') return { strategy, hash: [], ...quiet }
  const unknown = strategy !== '' && strategy !== 'RoundRobin'
  const message = `${field}.loadBalancerPolicy.strategy: "${strategy}" is no strategy, RoundRobin is used`
  return {
    strategy: 'RoundRobin',
    hash: [],
    warnings: unknown ? [warning('SpecError', 'IgnoredField', message)] : [],
    errors: [],
  }
}

type HashOptions = NonNullable<
  NonNullable<HTTPProxyRoute['loadBalancerPolicy']>['requestHashPolicies']
>[number]

function requestHash(field: string, policies: readonly HashOptions[]): LoadBalancing {
  const hash: HashPolicy[] = []
  const warnings: Problem[] = []
  const ignore = (index: number, why: string): void => {
    const at = `${field}.loadBalancerPolicy.requestHashPolicies[${index}]`
    warnings.push(warning('SpecError', 'IgnoredField', `${at}: ${why}, ignored`))
  }
  const errors: Problem[] = []
  for (const [index, options] of policies.entries()) {
    const [source, ...more] = sourcesOf(options)
    if (source?.kind === 'header' && hasControl(source.name)) {
      const at = `${field}.loadBalancerPolicy.requestHashPolicies[${index}].headerHashOptions.headerName`
      errors.push(error('RouteError', 'LoadBalancerPolicyNotValid', `${at}: control characters are no name`))
    }
    if (source === undefined || more.length > 0) {
      ignore(index, 'exactly one of headerHashOptions, queryParameterHashOptions and hashSourceIP is needed')
    } else if (hash.some((other) => identity(other) === identity(source)))
      ignore(index, 'a second of the same')
    else hash.push(source)
  }
  if (hash.length > 0) return { strategy: 'RingHash', hash, warnings, errors }
  const message = `${field}.loadBalancerPolicy: no hash policy is left, RoundRobin is used`
  return {
    strategy: 'RoundRobin',
    hash,
    warnings: [...warnings, warning('SpecError', 'IgnoredField', message)],
    errors,
  }
}

function sourcesOf(options: HashOptions): readonly HashPolicy[] {
  const terminal = options.terminal === true
  const header = options.headerHashOptions?.headerName
  const parameter = options.queryParameterHashOptions?.parameterName
  return [
    ...(header === undefined ? [] : [{ kind: 'header' as const, name: header, terminal }]),
    ...(parameter === undefined ? [] : [{ kind: 'query' as const, name: parameter, terminal }]),
    ...(options.hashSourceIP === true ? [{ kind: 'source' as const, terminal }] : []),
  ]
}

function identity(policy: HashPolicy): string {
  return policy.kind === 'source' ? policy.kind : `${policy.kind} ${policy.name.toLowerCase()}`
}

export function readSlowStart(
  field: string,
  policy: HTTPProxyService['slowStartPolicy'],
  strategy: Strategy,
): Checked<SlowStart | undefined> {
  if (policy === undefined) return ok(undefined)
  const refuse = (at: string, why: string) =>
    refused(error('ServiceError', 'SlowStartInvalid', `${field}.slowStartPolicy${at}: ${why}`))
  if (strategy !== 'RoundRobin' && strategy !== 'WeightedLeastRequest')
    return refuse('', 'only RoundRobin and WeightedLeastRequest start slowly')
  const window = parseGoDuration(policy.window)
  if (window === undefined || window <= 0 || window * 1000 > longestMs)
    return refuse('.window', `"${policy.window}" is no duration such as 30s`)
  const aggression = Number(policy.aggression ?? '1.0')
  if (!Number.isFinite(aggression) || aggression <= 0)
    return refuse('.aggression', `"${policy.aggression}" is no number above 0`)
  return ok({
    windowMs: Math.round(window * 1000),
    aggression,
    minWeightPercent: policy.minWeightPercent ?? 10,
  })
}
