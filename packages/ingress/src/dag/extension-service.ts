/**
 * An ExtensionService → the cluster that Envoy asks, with the time that an answer may take; or what is wrong with it.
 * Every problem that is an error leaves it without a cluster.
 */
import type { ExtensionService, ExtensionServiceSpec } from '@landfall/api'
import type { Lookups } from '../model/lookups.ts'
import type { CircuitBreakers, ClusterSettings, ExtensionCluster, ExtensionTarget, Limit } from './cluster.ts'
import type { DagOptions } from './options.ts'
import { readLimit } from './policies/durations.ts'
import { readLoadBalancing } from './policies/load-balancing.ts'
import { namesOf } from './policies/upstream-validation.ts'
import { error, type Problem, warning } from './problem.ts'
import { clientCertificateProblems } from './required-validation.ts'
import { resolveAuthority } from './trust.ts'
import { plainSettings, servicePort } from './upstream.ts'

export interface Extension {
  /** undefined: it cannot be asked. */
  readonly cluster: ExtensionCluster | undefined
  readonly timeout: Limit
  readonly problems: readonly Problem[]
}

export type ExtensionOptions = Pick<DagOptions, 'clientCertificate' | 'requireUpstreamValidation'>

export function translateExtension(
  { meta, spec }: ExtensionService,
  lookups: Lookups,
  { clientCertificate, requireUpstreamValidation: strict }: ExtensionOptions,
): Extension {
  const { namespace, name } = meta
  const problems: Problem[] = []
  const timeout = timeoutOf(spec, problems)
  const targets = targetsOf(namespace, spec, lookups, problems)
  const protocol = spec.protocol ?? 'h2'
  if (protocol === 'h2') problems.push(...clientCertificateProblems(clientCertificate, lookups))
  const trust = trustOf(namespace, spec, strict, lookups, problems)
  const settings: ClusterSettings = {
    ...plainSettings,
    strategy: strategyOf(spec, problems),
    protocol: protocol === 'http/1.1' ? '' : protocol,
    healthPortName: undefined,
    circuitBreakers: circuitBreakers(spec.circuitBreakerPolicy),
    sni: trust?.validation.names[0] ?? '',
    validation: trust?.validation,
    external: undefined,
  }
  const failed = problems.some(({ severity }) => severity === 'error')
  const cluster: ExtensionCluster = {
    kind: 'extension',
    namespace,
    name,
    targets,
    settings,
    authority: trust?.authority,
  }
  return { cluster: failed ? undefined : cluster, timeout, problems }
}

function timeoutOf({ timeoutPolicy }: ExtensionServiceSpec, problems: Problem[]): Limit {
  for (const name of ['idle', 'idleConnection'] as const) {
    const message = `spec.timeoutPolicy.${name}: ignored, only response counts here`
    if (timeoutPolicy?.[name] !== undefined) problems.push(warning('SpecError', 'IgnoredField', message))
  }
  const timeout = readLimit(timeoutPolicy?.response)
  if (timeout !== 'invalid') return timeout
  const message = `spec.timeoutPolicy.response: "${timeoutPolicy?.response}" is no duration such as 30s, nor infinity`
  problems.push(error('SpecError', 'TimeoutPolicyNotValid', message))
  return undefined
}

function strategyOf({ loadBalancerPolicy }: ExtensionServiceSpec, problems: Problem[]) {
  const { strategy, warnings } = readLoadBalancing('spec', loadBalancerPolicy)
  problems.push(...warnings)
  if (strategy !== 'RingHash') return strategy
  const message = `spec.loadBalancerPolicy.strategy: "${loadBalancerPolicy?.strategy}" has nothing to hash here, RoundRobin is used`
  problems.push(warning('SpecError', 'IgnoredField', message))
  return 'RoundRobin'
}

/** No weight anywhere: all the same. A port that is listed twice has the sum. */
function targetsOf(
  namespace: string,
  { services }: ExtensionServiceSpec,
  lookups: Lookups,
  problems: Problem[],
): readonly ExtensionTarget[] {
  const weighted = services.some(({ weight = 0 }) => weight > 0)
  const targets = new Map<string, ExtensionTarget>()
  for (const [index, { name, port, weight = 0 }] of services.entries()) {
    const field = `spec.services[${index}]`
    const found = servicePort({ namespace, name, port }, lookups)
    const service = lookups.service(`${namespace}/${name}`)
    if (service?.type === 'ExternalName') {
      const message = `${field}: Service "${namespace}/${name}" is of type ExternalName, which is not served here`
      problems.push(error('ServiceError', 'UnsupportedServiceType', message))
    } else if (!found.ok) {
      problems.push(error('ServiceError', 'ServiceUnresolvedReference', `${field}: ${found.why}`))
    } else {
      const key = `${name}/${found.port.name}`
      const sum = (targets.get(key)?.weight ?? 0) + (weighted ? weight : 1)
      targets.set(key, { service: name, portName: found.port.name, weight: sum })
    }
  }
  const total = [...targets.values()].reduce((sum, { weight }) => sum + weight, 0)
  if (total > maximumWeight) {
    const message = `spec.services: the weights add up to ${total}, above ${maximumWeight}`
    problems.push(error('SpecError', 'ServiceWeightsNotValid', message))
  }
  return [...targets.values()]
}

/** Of all localities of a cluster together. */
const maximumWeight = 0xffffffff

function trustOf(
  namespace: string,
  spec: ExtensionServiceSpec,
  strict: boolean,
  lookups: Lookups,
  problems: Problem[],
) {
  const { validation, protocol = 'h2' } = spec
  if (validation === undefined) {
    const message = 'spec: any certificate of the backend is taken, as there is no validation'
    const told = strict ? error : warning
    if (protocol === 'h2') problems.push(told('ServiceError', 'UpstreamNotVerified', message))
    return undefined
  }
  if (protocol !== 'h2') {
    const message = `spec.validation: protocol ${protocol} has no TLS`
    problems.push(error('SpecError', 'InconsistentProtocol', message))
  }
  const names = namesOf('spec', validation, (message) => {
    problems.push(error('SpecError', 'TLSUpstreamValidation', message))
  })
  const trust = resolveAuthority({ secretName: validation.caSecret, namespace }, lookups)
  if (trust.kind === 'found')
    return { validation: { authority: trust.bundle.name, names }, authority: trust.bundle }
  const [type, reason] =
    trust.kind === 'notDelegated'
      ? ['TLSError', 'CACertificateNotDelegated']
      : ['SpecError', 'TLSUpstreamValidation']
  problems.push(error(type, reason, `spec.validation.caSecret: ${trust.why}`))
  return undefined
}

function circuitBreakers(policy: ExtensionServiceSpec['circuitBreakerPolicy']): CircuitBreakers | undefined {
  const set = Object.entries(policy ?? {}).filter(([, value]) => value !== undefined && value > 0)
  return set.length === 0 ? undefined : Object.fromEntries(set)
}
