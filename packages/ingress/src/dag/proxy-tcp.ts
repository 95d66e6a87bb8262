/**
 * `tcpproxy` of a root HTTPProxy, or of one that it includes → where its connections go. Whatever is wrong takes the
 * host with it, as there is nothing that a connection could be answered with.
 */
import type { HTTPProxy, HTTPProxyService, HTTPProxyTCPProxy } from '@landfall/api'
import { type Key, keyOf } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import type { Cluster } from './cluster.ts'
import { unsupportedFields } from './honoured-fields.ts'
import type { DagOptions } from './options.ts'
import { readTcpHealthCheck } from './policies/health-check.ts'
import { readLoadBalancing } from './policies/load-balancing.ts'
import { validated } from './policies/upstream-validation.ts'
import { error, type Problem, warning } from './problem.ts'
import { maximumWeight } from './proxy-forward.ts'
import type { Reading } from './reading.ts'
import { plainSettings, resolveService } from './upstream.ts'
import type { TcpTarget } from './virtual-host.ts'

export interface ProxyTcp {
  /** undefined: refused. */
  readonly targets: readonly TcpTarget[] | undefined
  /** By object. */
  readonly problems: ReadonlyMap<Key, readonly Problem[]>
}

export function translateTcp(root: HTTPProxy, lookups: Lookups, options: DagOptions): ProxyTcp {
  const problems = new Map<Key, Problem[]>()
  const targets = visit(root, [keyOf(root.meta)], { lookups, options }, problems)
  return { targets, problems }
}

/** What a host asks of its clients that is not asked of those of a stream: an address that is not looked at is refused. */
export function streamProblems({ spec: { tcpproxy, virtualhost } }: HTTPProxy): readonly Problem[] {
  if (tcpproxy === undefined || virtualhost === undefined) return []
  const { ipAllowPolicy = [], ipDenyPolicy = [], rateLimitPolicy, corsPolicy, tls } = virtualhost
  const addresses = Object.entries({ ipAllowPolicy, ipDenyPolicy }).flatMap(([name, rules]) => {
    if (rules.length === 0) return []
    const message = `spec.virtualhost.${name}: not supported with tcpproxy, whose streams would pass unchecked`
    return [error('SpecError', 'NotSupported', message)]
  })
  const counted = (rateLimitPolicy?.global?.descriptors ?? []).length > 0 || undefined
  const others = Object.entries({
    'rateLimitPolicy.local': rateLimitPolicy?.local,
    'rateLimitPolicy.global': counted,
    corsPolicy,
    'tls.enableFallbackCertificate': tls?.enableFallbackCertificate || undefined,
    'tls.clientValidation.forwardClientCertificate': tls?.clientValidation?.forwardClientCertificate,
  })
  const ignored = others.flatMap(([name, policy]) => {
    if (policy === undefined) return []
    const message = `spec.virtualhost.${name}: ignored for streams of tcpproxy`
    return [warning('TCPProxyError', 'IgnoredField', message)]
  })
  return [...addresses, ...ignored]
}

type Told = Map<Key, Problem[]>

function visit(
  proxy: HTTPProxy,
  path: readonly Key[],
  reading: Reading,
  told: Told,
): readonly TcpTarget[] | undefined {
  const { lookups } = reading
  const problems: Problem[] = []
  told.set(keyOf(proxy.meta), problems)
  const refuse = (reason: string, why: string): undefined => {
    problems.push(error('TCPProxyError', reason, `spec.tcpproxy: ${why}`))
  }
  const { tcpproxy } = proxy.spec
  // A root's fields are looked at with its routes.
  if (path.length > 1) problems.push(...unsupportedFields(proxy.spec))
  if (problems.length > 0) return undefined
  const include = tcpproxy?.include ?? tcpproxy?.includes
  const services = tcpproxy?.services ?? []
  if (tcpproxy === undefined || (services.length === 0 && include === undefined))
    return refuse('NothingDefined', 'either services or include is needed')
  if (services.length > 0 && include !== undefined)
    return refuse('NoServicesAndInclude', 'services and include exclude each other')
  if (include === undefined) return targetsOf(proxy, tcpproxy, services, reading, problems)
  const key = `${include.namespace || proxy.meta.namespace}/${include.name}`
  const child = lookups.proxy(key)
  const why = includeProblem(key, child, path)
  if (child !== undefined && why === undefined) return visit(child, [...path, key], reading, told)
  const [reason, message] = why ?? ['IncludeNotFound', '']
  problems.push(error('TCPProxyIncludeError', reason, `spec.tcpproxy.include: ${message}`))
  return undefined
}

function includeProblem(
  key: Key,
  child: HTTPProxy | undefined,
  path: readonly Key[],
): readonly [string, string] | undefined {
  if (child === undefined) return ['IncludeNotFound', `include "${key}" not found`]
  if (child.spec.virtualhost !== undefined)
    return ['RootIncludesRoot', `root httpproxy cannot include the root httpproxy "${key}"`]
  if (path.includes(key))
    return ['IncludeCreatesCycle', `include creates an include cycle: ${[...path, key].join(' -> ')}`]
  return undefined
}

function targetsOf(
  proxy: HTTPProxy,
  tcpproxy: HTTPProxyTCPProxy,
  services: readonly HTTPProxyService[],
  { lookups, options }: Reading,
  problems: Problem[],
): readonly TcpTarget[] | undefined {
  const field = 'spec.tcpproxy'
  const fatal: Problem[] = []
  const balancing = readLoadBalancing(field, tcpproxy.loadBalancerPolicy)
  const ignore = (message: string): void => {
    problems.push(warning('TCPProxyError', 'IgnoredField', message))
  }
  for (const { message } of balancing.warnings) ignore(message)
  const hashes = balancing.strategy === 'RingHash'
  if (hashes) ignore(`${field}.loadBalancerPolicy.strategy: nothing to hash in a stream, RoundRobin is used`)
  const healthCheck = readTcpHealthCheck(field, tcpproxy.healthCheckPolicy)
  if (!healthCheck.ok) fatal.push(...healthCheck.problems)
  const targets = services.flatMap((service, index): readonly TcpTarget[] => {
    const at = `${field}.services[${index}]`
    for (const name of ignoredOf(service)) ignore(`${at}.${name}: ignored, as a stream has no requests`)
    if (service.healthPort !== undefined && tcpproxy.healthCheckPolicy === undefined)
      ignore(`${at}.healthPort: ignored, as there is no healthCheckPolicy`)
    const settings = {
      ...plainSettings,
      strategy: hashes ? ('RoundRobin' as const) : balancing.strategy,
      healthCheck: healthCheck.ok ? healthCheck.value : undefined,
    }
    const { namespace } = proxy.meta
    const { name, port, protocol = '', weight, healthPort } = service
    const reference = { namespace, name, port, protocol, healthPort, settings }
    const resolved = resolveService(reference, lookups, options)
    if (!resolved.ok) {
      fatal.push(error('TCPProxyError', 'ServiceUnresolvedReference', `${at}: ${resolved.why}`))
      return []
    }
    problems.push(...resolved.warnings)
    const asking = { field: at, namespace }
    const cluster: Cluster = validated(resolved.cluster, service.validation, asking, lookups, fatal, problems)
    return [{ cluster, weight: weight ?? 0 }]
  })
  const sum = targets.reduce((all, { weight }) => all + weight, 0)
  if (sum > maximumWeight) {
    const message = `${field}.services: the weights add up to ${sum}, above ${maximumWeight}`
    fatal.push(error('TCPProxyError', 'ServiceWeightsNotValid', message))
  }
  problems.push(...fatal)
  if (fatal.length > 0) return undefined
  const weighted = targets.some(({ weight }) => weight > 0)
  return weighted ? targets : targets.map((target) => ({ ...target, weight: 1 }))
}

const ofRequests = [
  'mirror',
  'requestHeadersPolicy',
  'responseHeadersPolicy',
  'cookieRewritePolicies',
  'slowStartPolicy',
] as const

function ignoredOf(service: HTTPProxyService): readonly string[] {
  return ofRequests.filter((name) => service[name] !== undefined && service[name] !== false)
}
