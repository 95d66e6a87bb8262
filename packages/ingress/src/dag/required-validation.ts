/**
 * Where the configuration forbids backends that are believed whatever certificate they show: their routes answer 503,
 * streams to them are not served, and what warned of it is an error.
 */
import type { DagOptions } from './options.ts'
import type { Outcome } from './outcome.ts'
import { error, type Problem } from './problem.ts'
import {
  type Action,
  clustersOfAction,
  type Route,
  type SecureSide,
  type VirtualHost,
} from './virtual-host.ts'

type Upstream = ReturnType<typeof clustersOfAction>[number]

interface Translated {
  readonly virtualHost: VirtualHost | undefined
  readonly outcomes: readonly Outcome[]
}

export function withRequiredValidation<T extends Translated>(translation: T, options: DagOptions): T {
  if (!options.requireUpstreamValidation) return translation
  const { virtualHost, outcomes } = translation
  return {
    ...translation,
    virtualHost: virtualHost && restricted(virtualHost),
    outcomes: [...outcomes.map(strict), ...ingressOutcomes(virtualHost, outcomes)],
  }
}

function isBlind(cluster: Upstream): boolean {
  if (!('settings' in cluster)) return false
  const { protocol, validation } = cluster.settings
  return (protocol === 'tls' || protocol === 'h2') && validation === undefined
}

function isForbidden(action: Action): boolean {
  return action.kind === 'forward' && clustersOfAction(action).some(isBlind)
}

function restricted(host: VirtualHost): VirtualHost {
  const closed = (routes: readonly Route[]) =>
    routes.map((route) =>
      isForbidden(route.action) ? { ...route, action: { kind: 'respond' as const, status: 503 } } : route,
    )
  const { secure } = host
  return { ...host, plain: closed(host.plain), secure: secure && restrictedSide(secure, closed) }
}

function restrictedSide(
  secure: SecureSide,
  closed: (routes: readonly Route[]) => readonly Route[],
): SecureSide | undefined {
  if (secure.kind === 'http') return { ...secure, routes: closed(secure.routes) }
  const targets = secure.targets.filter(({ cluster }) => !isBlind(cluster))
  return targets.some(({ weight }) => weight > 0) ? { ...secure, targets } : undefined
}

function strict(outcome: Outcome): Outcome {
  const raise = (problem: Problem): Problem =>
    problem.reason === 'UpstreamNotVerified' ? { ...problem, severity: 'error' } : problem
  return { ...outcome, problems: outcome.problems.map(raise) }
}

/** An Ingress cannot ask for validation; nobody warned of it. */
function ingressOutcomes(host: VirtualHost | undefined, outcomes: readonly Outcome[]): readonly Outcome[] {
  const secure = host?.secure?.kind === 'http' ? host.secure.routes : []
  const owners = new Set(
    [...(host?.plain ?? []), ...secure].filter(({ action }) => isForbidden(action)).map(({ owner }) => owner),
  )
  const why = 'a backend that speaks TLS without validation is forbidden by the configuration'
  return outcomes
    .filter(({ kind, key }) => kind === 'ingress' && owners.has(`Ingress/${key}`))
    .map(({ kind, key }) => ({ kind, key, problems: [error('ServiceError', 'UpstreamNotVerified', why)] }))
}
