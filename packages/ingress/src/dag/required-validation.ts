/**
 * What the configuration asks of backends that speak TLS: that their certificates are checked, and that they are shown
 * one. Where that cannot be, their routes answer 503, streams to them are not served, and each object hears of it.
 */
import type { Key } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import type { DagOptions } from './options.ts'
import type { Outcome } from './outcome.ts'
import { error, type Problem } from './problem.ts'
import { pairProblem } from './tls-settings.ts'
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
  /** The root HTTPProxy that has the host. */
  readonly root: Key | undefined
  readonly outcomes: readonly Outcome[]
}

export function withRequiredValidation<T extends Translated>(translation: T, options: DagOptions): T {
  if (!options.requireUpstreamValidation) return translation
  const { virtualHost, outcomes } = translation
  const why = 'a backend that speaks TLS without validation is forbidden by the configuration'
  const owners = ownersOf(virtualHost, isBlind)
  // Whose object can ask for validation was warned.
  const told = outcomes.filter(({ kind, key }) => kind === 'ingress' && owners.has(`Ingress/${key}`))
  return {
    ...translation,
    virtualHost: virtualHost && restricted(virtualHost, isBlind),
    outcomes: [
      ...outcomes.map(strict),
      ...told.map(({ kind, key }) => ({
        kind,
        key,
        problems: [error('ServiceError', 'UpstreamNotVerified', why)],
      })),
    ],
  }
}

/** What is wrong with the certificate that is to be shown to backends; empty also when none is. */
export function clientCertificateProblems(key: Key | undefined, lookups: Lookups): readonly Problem[] {
  if (key === undefined) return []
  const why = pairProblem(key, lookups)
  if (why === undefined) return []
  return [error('TLSError', 'SecretNotValid', `the client certificate of Envoy is invalid: ${why}`)]
}

/** Without the certificate that is to be shown, nothing is sent to backends that may want it. */
export function withClientCertificate<T extends Translated>(
  translation: T,
  lookups: Lookups,
  { clientCertificate: key }: DagOptions,
): T {
  const { virtualHost, outcomes } = translation
  const streams = virtualHost?.secure?.kind === 'tcp' ? virtualHost.secure.targets : []
  const root = streams.some(({ cluster }) => isSecure(cluster)) ? [`HTTPProxy/${translation.root}`] : []
  const owners = new Set([...ownersOf(virtualHost, isSecure), ...root])
  if (key === undefined || owners.size === 0) return translation
  const [problem] = clientCertificateProblems(key, lookups)
  if (problem === undefined) return translation
  const names = { httpProxy: 'HTTPProxy', ingress: 'Ingress', extensionService: 'ExtensionService' } as const
  return {
    ...translation,
    virtualHost: virtualHost && restricted(virtualHost, isSecure),
    outcomes: outcomes.map((outcome) =>
      owners.has(`${names[outcome.kind]}/${outcome.key}`)
        ? { ...outcome, problems: [...outcome.problems, problem] }
        : outcome,
    ),
  }
}

type Kind = (cluster: Upstream) => boolean

function isSecure(cluster: Upstream): boolean {
  if (cluster.kind === 'dns') return cluster.secure
  return cluster.settings.protocol === 'tls' || cluster.settings.protocol === 'h2'
}

function isBlind(cluster: Upstream): boolean {
  const validation = cluster.kind === 'dns' ? cluster.validation : cluster.settings.validation
  return isSecure(cluster) && validation === undefined
}

function isForbidden(action: Action, kind: Kind): boolean {
  return action.kind === 'forward' && clustersOfAction(action).some(kind)
}

/** Objects whose requests go to such backends, as `Kind/namespace/name`. */
function ownersOf(host: VirtualHost | undefined, kind: Kind): ReadonlySet<string> {
  const secure = host?.secure?.kind === 'http' ? host.secure.routes : []
  return new Set(
    [...(host?.plain ?? []), ...secure]
      .filter(({ action }) => isForbidden(action, kind))
      .map(({ owner }) => owner),
  )
}

function restricted(host: VirtualHost, kind: Kind): VirtualHost {
  const closed = (routes: readonly Route[]) =>
    routes.map((route) =>
      isForbidden(route.action, kind)
        ? { ...route, action: { kind: 'respond' as const, status: 503 } }
        : route,
    )
  const { secure } = host
  return { ...host, plain: closed(host.plain), secure: secure && restrictedSide(secure, closed, kind) }
}

function restrictedSide(
  secure: SecureSide,
  closed: (routes: readonly Route[]) => readonly Route[],
  kind: Kind,
): SecureSide | undefined {
  if (secure.kind === 'http') return { ...secure, routes: closed(secure.routes) }
  const targets = secure.targets.filter(({ cluster }) => !kind(cluster))
  return targets.some(({ weight }) => weight > 0) ? { ...secure, targets } : undefined
}

function strict(outcome: Outcome): Outcome {
  const raise = (problem: Problem): Problem =>
    problem.reason === 'UpstreamNotVerified' ? { ...problem, severity: 'error' } : problem
  return { ...outcome, problems: outcome.problems.map(raise) }
}
