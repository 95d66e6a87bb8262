/**
 * A reference to a Service's port → the cluster that serves it, or why there is none. The upstream protocol is
 * the reference's own, then the port's `appProtocol`, then the Service's annotations.
 */
import type { Service, ServicePort } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import type { ClusterSettings, ServiceCluster, UpstreamProtocol, Written } from './cluster.ts'
import { type ExternalNameOptions, externalName, externalProblem, isAddress } from './external-name.ts'
import { readCircuitBreakers } from './policies/circuit-breakers.ts'
import { serviceWarnings } from './policies/service-annotations.ts'
import type { Problem } from './problem.ts'

export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  /** By number, or by name where the API has one. */
  readonly port: number | string
  /** '' for what the Service says. */
  readonly protocol: string
  readonly settings: Omit<ClusterSettings, 'protocol' | 'healthPortName' | 'circuitBreakers' | 'external'>
  /** Number of the port that health checks use; undefined: the same. */
  readonly healthPort?: number | undefined
  readonly written?: Written
}

/** What a cluster has that nobody asked anything of. */
export const plainSettings: ServiceReference['settings'] = {
  strategy: 'RoundRobin',
  idleConnection: undefined,
  healthCheck: undefined,
  slowStart: undefined,
  sni: '',
  validation: undefined,
}

export type ClusterResult =
  | { readonly ok: true; readonly cluster: ServiceCluster; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly why: string }

type PortResult =
  | { readonly ok: true; readonly service: Service; readonly port: ServicePort }
  | { readonly ok: false; readonly why: string }

export function servicePort(
  reference: Pick<ServiceReference, 'namespace' | 'name' | 'port'>,
  lookups: Lookups,
): PortResult {
  const key = `${reference.namespace}/${reference.name}`
  const service = lookups.service(key)
  if (service === undefined) return { ok: false, why: `service "${key}" not found` }
  const named = service.ports.filter((candidate) =>
    typeof reference.port === 'number'
      ? candidate.port === reference.port
      : candidate.name === reference.port,
  )
  // One number may be that of a port of each protocol, as 443 of who speaks QUIC too.
  const port = named.find(({ protocol }) => protocol === 'TCP') ?? named[0]
  if (port === undefined)
    return { ok: false, why: `port "${reference.port}" on service "${key}" not matched` }
  if (port.protocol !== 'TCP') {
    return { ok: false, why: `port "${reference.port}" on service "${key}" is ${port.protocol}, not TCP` }
  }
  return { ok: true, service, port }
}

export function resolveService(
  reference: ServiceReference,
  lookups: Lookups,
  options: ExternalNameOptions,
): ClusterResult {
  const key = `${reference.namespace}/${reference.name}`
  const found = servicePort(reference, lookups)
  if (!found.ok) return found
  const { service, port } = found
  const why = service.type === 'ExternalName' ? externalProblem(service, options) : undefined
  if (why !== undefined) return { ok: false, why: `service "${key}" ${why}` }
  const health = healthPort(reference, service, port)
  if (health === 'none')
    return { ok: false, why: `port "${reference.healthPort}" on service "${key}" not matched` }
  const protocol = protocolOf(reference.protocol, service, port)
  const { settings, written } = reference
  const external = service.type === 'ExternalName' ? externalName(service, health?.port, options) : undefined
  const sni = settings.sni || (external === undefined || isAddress(external.host) ? '' : external.host)
  return {
    ok: true,
    warnings: serviceWarnings(service),
    cluster: {
      kind: 'service',
      namespace: reference.namespace,
      service: reference.name,
      port: port.port,
      portName: port.name,
      settings: {
        ...settings,
        protocol,
        sni: protocol === 'h2' || protocol === 'tls' ? sni : '',
        healthPortName: external === undefined ? health?.name : undefined,
        circuitBreakers: readCircuitBreakers(service.meta.annotations),
        external,
      },
      authority: undefined,
      ...(written && { written: { ...written, host: written.host || service.externalName } }),
    },
  }
}

/** The port for health checks where it is another; 'none' when the Service has no such port. */
function healthPort(
  { healthPort, settings }: ServiceReference,
  service: Service,
  port: ServicePort,
): ServicePort | 'none' | undefined {
  if (healthPort === undefined || healthPort === port.port || settings.healthCheck === undefined)
    return undefined
  return service.ports.find((one) => one.port === healthPort && one.protocol === 'TCP') ?? 'none'
}

function protocolOf(own: string, service: Service, port: ServicePort): UpstreamProtocol {
  if (own === 'h2' || own === 'h2c' || own === 'tls') return own
  if (port.appProtocol !== '') return fromAppProtocol(port.appProtocol)
  return (
    (['h2', 'h2c', 'tls'] as const).find((protocol) => {
      const listed = service.meta.annotations[`projectcontour.io/upstream-protocol.${protocol}`] ?? ''
      const entries = listed.split(',').map((entry) => entry.trim())
      return entries.includes(String(port.port)) || (port.name !== '' && entries.includes(port.name))
    }) ?? ''
  )
}

function fromAppProtocol(appProtocol: string): UpstreamProtocol {
  return appProtocol === 'kubernetes.io/h2c' ? 'h2c' : appProtocol === 'https' ? 'tls' : ''
}
