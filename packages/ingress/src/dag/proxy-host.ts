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
import {
  type HostAuthorization,
  ignoredOfServer,
  noAuthorization,
  readAuthorization,
} from './policies/authorization.ts'
import { readHostFilters } from './policies/filters.ts'
import { limitOfHost, unlimited } from './policies/global-rate-limit.ts'
import { ignored } from './policies/ignored-fields.ts'
import { type HostTokens, noTokens, readProviders } from './policies/jwt.ts'
import { splitRewrites } from './policies/path-rewrite.ts'
import { error, type Problem } from './problem.ts'
import { streamProblems, translateTcp } from './proxy-tcp.ts'
import { type ProxyTls, readProxyTls, tlsWarnings } from './proxy-tls.ts'
import { type ProxyTreeRoute, translateTree } from './proxy-tree.ts'
import { identityOf } from './route-order.ts'
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
  const { routes: own = [], includes = [] } = spec
  if (own.length === 0 && includes.length === 0 && spec.tcpproxy === undefined) {
    const message = 'spec: HTTPProxy must have at least one of routes, includes and tcpproxy'
    early.push(error('SpecError', 'NothingDefined', message))
  }
  const tls = readProxyTls(root, lookups, options)
  if (tls.kind === 'refused') early.push(...tls.problems)
  if (tls.kind === 'none' && spec.tcpproxy !== undefined) {
    const message = 'spec.tcpproxy: needs tls, with secretName or passthrough'
    early.push(error('TCPProxyError', 'TLSMustBeConfigured', message))
  }
  const { error: unchecked = [], warning: ofStream = [] } = Object.groupBy(
    streamProblems(root),
    ({ severity }) => severity,
  )
  early.push(...unchecked)
  const asked = readHostFilters(spec.virtualhost, options)
  if (!asked.ok) early.push(...asked.problems)
  const { authorization, tokens } = clientChecks(root, tls, lookups, options, early)
  const providers = (spec.virtualhost?.jwtProviders ?? []).map(({ name }) => name)
  const limitedBy = limitOfHost(spec.virtualhost?.rateLimitPolicy, options.rateLimitService)
  const rules = { authorization, providers, jwt: tokens.rule, limitedBy, options }
  const tree = translateTree(root, lookups, rules)
  const tcp = spec.tcpproxy === undefined ? undefined : translateTcp(root, lookups, options)
  const blocked = early.some(endsBeforeRoutes) || (tcp !== undefined && tcp.targets === undefined)
  const ofTree = blocked ? new Map([[key, tree.problems.get(key) ?? []]]) : tree.problems
  const first = early.filter(endsBeforeRoutes).toSorted((a, b) => rankOf(a) - rankOf(b))
  const last = early.filter((problem) => !endsBeforeRoutes(problem))
  const told = together(new Map([[key, first]]), tcp?.problems ?? new Map(), ofTree, new Map([[key, last]]))
  const limitless = unlimited('spec.virtualhost', spec.virtualhost?.rateLimitPolicy, options.rateLimitService)
  const idle = [...tlsWarnings(root), ...ignoredOfServer(root, options), ...limitless, ...ofStream]
  const ofRoot = [...idle, ...tokens.warnings]
  const warnings = together(
    new Map([[key, ofRoot]]),
    halves(key, ofTree, tcp?.problems ?? new Map(), lookups),
    blocked ? new Map() : twins(tree.routes),
  )
  const outcomes = [...together(told, warnings)].map(
    ([reached, problems]): Outcome => ({ kind: 'httpProxy', key: reached, problems }),
  )
  const targets = tcp?.targets
  const dead = tree.unsupported || (tcp !== undefined && targets === undefined)
  if (early.length > 0 || dead) return { contribution: nothing, outcomes }
  const split = splitRewrites(tree.routes)
  const routes = split.map(({ route }) => route)
  const open = tls.kind === 'none'
  const plain = split.map(({ route, permitInsecure }) =>
    open || (permitInsecure && !options.disablePermitInsecure) ? route : redirected(route),
  )
  const certified = tls.kind === 'terminated' ? tls.tls : undefined
  const contribution: Contribution = {
    plain,
    secure: certified === undefined ? [] : routes,
    tls: certified,
    fallback: tls.kind === 'terminated' ? tls.fallback : undefined,
    tcp: targets && { kind: 'tcp', tls: certified, targets },
    access: { authorization: authorization.server, providers: tokens.providers },
    filters: {
      ...(asked.ok ? asked.value : noHostFilters),
      authorization: authorization.rule,
      jwt: tokens.rule,
    },
  }
  return { contribution, outcomes }
}

/** In which order Contour looks, and tells of the first alone. */
const order = ['SpecError', 'JWTVerificationError', 'AuthError', 'IPFilterError', 'TLSError', 'TCPProxyError']

function rankOf({ type }: Problem): number {
  return order.indexOf(type)
}

/** A root with such a problem reaches none of the objects that it includes: they are orphans, as with Contour. */
function endsBeforeRoutes({ type, reason }: Problem): boolean {
  const types = ['SpecError', 'TLSError', 'TCPProxyError', 'IPFilterError']
  return types.includes(type) || reason === 'AuthNotPermitted' || reason === 'JWTVerificationNotPermitted'
}

/** Objects that are included for their routes alone, or for their stream: the other half of them counts for nothing. */
function halves(
  root: Key,
  ofTree: ReadonlyMap<Key, unknown>,
  ofStream: ReadonlyMap<Key, unknown>,
  lookups: Lookups,
): Map<Key, readonly Problem[]> {
  const reached = [...new Set([...ofTree.keys(), ...ofStream.keys()])].filter((key) => key !== root)
  const found = reached.map((key) => {
    const { routes = [], includes = [], tcpproxy } = lookups.proxy(key)?.spec ?? {}
    const lone = [
      ...(ofTree.has(key) ? [] : Object.entries({ routes, includes }).filter(([, list]) => list.length > 0)),
      ...(ofStream.has(key) || tcpproxy === undefined ? [] : [['tcpproxy']]),
    ]
    const by = ofTree.has(key) ? 'spec.includes' : 'spec.tcpproxy.include'
    return [key, lone.map(([name]) => ignored(`spec.${name}: ignored, as only ${by} leads here`))] as const
  })
  return new Map(found.filter(([, problems]) => problems.length > 0))
}

/** Of two routes of one object that take the same requests the last one has them. What another way leads to is served. */
function twins(routes: readonly ProxyTreeRoute[]): Map<Key, readonly Problem[]> {
  const own = routes.flatMap(({ route }) => (route.rule.startsWith('spec.routes') ? [route] : []))
  const idOf = ({ owner, match }: Route): string => `${owner} ${identityOf(match)}`
  const winners = new Map(own.map((route) => [idOf(route), route.rule]))
  const done = new Set(
    [...own].flatMap((route) => (winners.get(idOf(route)) === route.rule ? [nameOf(route)] : [])),
  )
  const found = new Map<Key, readonly Problem[]>()
  for (const route of own) {
    if (done.has(nameOf(route))) continue
    done.add(nameOf(route))
    const key = route.owner.slice('HTTPProxy/'.length)
    const told = ignored(`${route.rule}: ignored, as ${winners.get(idOf(route))} has the same conditions`)
    found.set(key, [...(found.get(key) ?? []), told])
  }
  return found
}

function nameOf({ owner, rule }: Route): string {
  return `${owner} ${rule}`
}

/** What the host checks of its clients; refused, nothing of it is served. */
function clientChecks(
  root: HTTPProxy,
  tls: ProxyTls,
  lookups: Lookups,
  options: DagOptions,
  problems: Problem[],
): { readonly authorization: HostAuthorization; readonly tokens: HostTokens } {
  // Of a host whose TLS is refused it is not known that it ends none.
  const secure = (tls.kind === 'terminated' || tls.kind === 'refused') && root.spec.tcpproxy === undefined
  const authorization = readAuthorization(root, secure, { lookups, options })
  const tokens = readProviders(root, secure, lookups, options)
  if (!authorization.ok) problems.push(...authorization.problems)
  if (!tokens.ok) problems.push(...tokens.problems)
  return {
    authorization: authorization.ok ? authorization.value : { ...noAuthorization, asked: true },
    tokens: tokens.ok ? tokens.value : noTokens,
  }
}

function together(...all: readonly ReadonlyMap<Key, readonly Problem[]>[]): Map<Key, readonly Problem[]> {
  const told = new Map<Key, readonly Problem[]>()
  for (const [key, problems] of all.flatMap((map) => [...map]))
    told.set(key, [...(told.get(key) ?? []), ...problems])
  return told
}

/** Who may not call is not sent on either; what the route limits or rewrites is left to the secure side. */
function redirected({ filters, ...route }: Route): Route {
  const ipFilter = filters?.ipFilter
  const kept = ipFilter === undefined ? {} : { filters: { ...noRouteFilters, ipFilter } }
  return { ...route, ...kept, action: { kind: 'https-redirect' } }
}

function outcomeOf(proxy: HTTPProxy, problems: readonly Problem[]): Outcome {
  return { kind: 'httpProxy', key: keyOf(proxy.meta), problems }
}
