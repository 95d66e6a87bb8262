/**
 * The HTTPProxies of one host: the oldest root that is allowed to be one has the name, the younger ones are told
 * so. Its routes go to the plain listener, and with TLS to the secure one while the plain one redirects.
 */
import type { HTTPProxy } from '@landfall/api'
import { type Key, keyOf } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { type Contribution, nothing } from './contribution.ts'
import { noHostFilters, noRouteFilters } from './filters.ts'
import type { DagOptions } from './options.ts'
import type { Outcome } from './outcome.ts'
import { readHostFilters } from './policies/filters.ts'
import { splitRewrites } from './policies/path-rewrite.ts'
import { error, type Problem } from './problem.ts'
import { translateTree } from './proxy-tree.ts'
import { resolveTls, type Tls, versionProblem } from './tls-settings.ts'
import type { Route } from './virtual-host.ts'

export interface HostResult {
  readonly contribution: Contribution
  readonly outcomes: readonly Outcome[]
}

export interface ProxiesResult extends HostResult {
  /** The root HTTPProxy that has the host. */
  readonly root: Key | undefined
}

export function translateProxies(host: string, lookups: Lookups, options: DagOptions): ProxiesResult {
  const roots = lookups.roots(host)
  const allowed = roots.filter((root) => mayBeRoot(root, options))
  const owner = allowed[0]
  const losers = roots.filter((root) => root !== owner).map((root) => loser(root, owner, host, options))
  if (owner === undefined) return { contribution: nothing, outcomes: losers, root: undefined }
  const { contribution, outcomes } = translateRoot(owner, lookups, options)
  return { contribution, outcomes: [...outcomes, ...losers], root: keyOf(owner.meta) }
}

function mayBeRoot(root: HTTPProxy, options: DagOptions): boolean {
  return options.rootNamespaces.length === 0 || options.rootNamespaces.includes(root.meta.namespace)
}

function loser(root: HTTPProxy, owner: HTTPProxy | undefined, host: string, options: DagOptions): Outcome {
  if (owner === undefined || !mayBeRoot(root, options)) {
    const message = `spec.virtualhost: root HTTPProxy cannot be defined in namespace "${root.meta.namespace}"`
    return outcomeOf(root, [error('RootNamespaceError', 'RootProxyNotAllowedInNamespace', message)])
  }
  const message = `spec.virtualhost.fqdn: "${host}" is used by the older HTTPProxy "${keyOf(owner.meta)}"`
  return outcomeOf(root, [error('VirtualHostError', 'DuplicateVhost', message)])
}

function translateRoot(root: HTTPProxy, lookups: Lookups, options: DagOptions): HostResult {
  const key = keyOf(root.meta)
  const early: Problem[] = []
  const { spec } = root
  if (spec.routes === undefined && spec.includes === undefined && spec.tcpproxy === undefined) {
    const message = 'spec: HTTPProxy must have at least one of routes, includes and tcpproxy'
    early.push(error('SpecError', 'NothingDefined', message))
  }
  const tls = tlsOf(root, lookups, options)
  early.push(...tls.problems)
  const asked = readHostFilters(spec.virtualhost)
  if (!asked.ok) early.push(...asked.problems)
  const filters = asked.ok ? asked.value : noHostFilters
  const tree = translateTree(root, lookups)
  const outcomes = [...tree.problems].map(([reached, problems]): Outcome => {
    if (reached !== key) return { kind: 'httpProxy', key: reached, problems }
    return outcomeOf(root, [...early, ...problems])
  })
  if (early.length > 0) return { contribution: nothing, outcomes }
  const split = splitRewrites(tree.routes)
  const routes = split.map(({ route }) => route)
  if (tls.value === undefined)
    return { contribution: { plain: routes, secure: [], tls: undefined, filters }, outcomes }
  const plain = split.map(({ route, permitInsecure }) =>
    permitInsecure && !options.disablePermitInsecure ? route : redirected(route),
  )
  return { contribution: { plain, secure: routes, tls: tls.value, filters }, outcomes }
}

/** Who may not call is not sent on either; what the route limits or rewrites is left to the secure side. */
function redirected({ filters, ...route }: Route): Route {
  const ipFilter = filters?.ipFilter
  const kept = ipFilter === undefined ? {} : { filters: { ...noRouteFilters, ipFilter } }
  return { ...route, ...kept, action: { kind: 'https-redirect' } }
}

interface TlsResult {
  readonly value: Tls | undefined
  readonly problems: readonly Problem[]
}

function tlsOf(root: HTTPProxy, lookups: Lookups, options: DagOptions): TlsResult {
  const tls = root.spec.virtualhost?.tls
  if (tls === undefined) return { value: undefined, problems: [] }
  if (!tls.secretName) {
    if (tls.passthrough === true) return { value: undefined, problems: [] }
    const message = 'spec.virtualhost.tls: exactly one of secretName and passthrough is needed'
    return { value: undefined, problems: [error('TLSError', 'TLSConfigNotValid', message)] }
  }
  const resolved = resolveTls(
    {
      secretName: tls.secretName,
      namespace: root.meta.namespace,
      minimum: tls.minimumProtocolVersion ?? '',
      maximum: tls.maximumProtocolVersion ?? '',
      field: 'spec.virtualhost.tls.secretName',
    },
    lookups,
    options.tls,
  )
  const problems = [...versionErrors(tls), ...(resolved.ok ? [] : resolved.problems)]
  return { value: resolved.ok && problems.length === 0 ? resolved.value : undefined, problems }
}

const versionFields = ['minimumProtocolVersion', 'maximumProtocolVersion'] as const

function versionErrors(tls: Readonly<Partial<Record<(typeof versionFields)[number], string>>>): Problem[] {
  return versionFields
    .map((name) => versionProblem(tls[name] ?? '', `spec.virtualhost.tls.${name}`))
    .filter((message) => message !== undefined)
    .map((message) => error('TLSError', 'TLSConfigNotValid', message))
}

function outcomeOf(proxy: HTTPProxy, problems: readonly Problem[]): Outcome {
  return { kind: 'httpProxy', key: keyOf(proxy.meta), problems }
}
