/** What no status has a place for: Ingresses with problems, backends without endpoints, many filter chains. By translation itself. */
import { type Cluster, clustersOfAction, type Engine, manyChains } from '@landfall/ingress/routing'
import { keyOf } from '@landfall/kube/model'
import type { ClusterView } from '../cluster-view.ts'
import { endpointsOf } from '../facts/endpoints.ts'
import { adviceOnObject } from '../facts/object-advice.ts'
import { translated } from '../facts/translated.ts'
import { whyNoEndpoint } from '../facts/why-no-endpoint.ts'
import type { Observed } from '../observed.ts'
import type { Finding } from './finding.ts'
import { podsOf } from './programs.ts'

type VirtualHost = ReturnType<Engine['virtualHosts']> extends Iterable<infer Host> ? Host : never

export function translationFindings(view: ClusterView): readonly Finding[] {
  const { observed } = view
  const engine = translated(view)
  return [
    ...ingressFindings(engine, observed),
    ...backendFindings(engine, observed),
    ...idle(engine, observed),
    ...heavy(engine, view),
  ]
}

function heavy({ chains }: Engine, { observed, serving }: ClusterView): readonly Finding[] {
  if (chains <= manyChains || serving.options.dag.certificates === 'on-demand') return []
  const restart = `kubectl -n ${observed.places.ingress} rollout restart deployment contour`
  return [
    {
      severity: 'warning',
      kind: 'Program',
      name: 'contour',
      reason: 'manyFilterChains',
      message: `its Envoys hold ${chains} filter chains, one for each certificate: above ${manyChains} a new certificate takes each Envoy longer than half a second`,
      next: `See what on-demand costs ("Many certificates" in docs/configuration.md), and set tls.certificates: on-demand (in a ContourConfiguration envoy.listener.tls.certificates); then ${restart}`,
    },
  ]
}

/** Ports without a listener look like something broken to whoever tries them. */
function idle(engine: Engine, observed: Observed): readonly Finding[] {
  const gaps = [observed.proxies, observed.ingresses, observed.secrets].some(({ gap }) => gap !== undefined)
  if (gaps || podsOf(observed, 'envoy').length === 0) return []
  for (const _ of engine.virtualHosts()) return []
  return [
    {
      severity: 'warning',
      kind: 'Program',
      name: 'envoy',
      reason: 'noVirtualHost',
      message: 'it serves no virtual host, and while it serves none its ports refuse connections',
      next: 'Look at what is said of the Ingresses and HTTPProxies that there are, or create some: kubectl apply -f examples/hello.yaml',
    },
  ]
}

/** Without Secrets, what is said of certificates would be wrong. */
function ingressFindings(engine: Engine, observed: Observed): readonly Finding[] {
  const { ingresses, secrets } = observed
  return ingresses.items.flatMap(({ meta }) => {
    const name = keyOf(meta)
    return engine
      .verdict('ingress', name)
      .problems.filter(({ type }) => secrets.gap === undefined || type !== 'TLSError')
      .map(({ severity, reason, message }) => ({
        severity,
        kind: 'Ingress',
        name,
        reason,
        message,
        next: adviceOnObject(observed, { kind: 'Ingress', name }, { severity, reason, message }),
      }))
  })
}

/** A finding for each Service port that some host needs and that has no endpoint. */
function backendFindings(engine: Engine, observed: Observed): readonly Finding[] {
  if (observed.slices.gap !== undefined || observed.services.gap !== undefined) return []
  const hosts = new Map<string, { readonly cluster: ServiceCluster; readonly names: Set<string> }>()
  for (const virtualHost of engine.virtualHosts())
    for (const cluster of clustersOf(virtualHost)) {
      if (cluster.kind !== 'service' || cluster.settings.external !== undefined) continue
      const key = `${cluster.namespace}/${cluster.service} ${cluster.portName}`
      const found = hosts.get(key) ?? { cluster, names: new Set() }
      found.names.add(virtualHost.host)
      hosts.set(key, found)
    }
  return [...hosts.values()].flatMap(({ cluster, names }) => lackOf(cluster, [...names], observed))
}

type ServiceCluster = Extract<Cluster, { readonly kind: 'service' }>

function lackOf(
  { namespace, service: name, portName }: ServiceCluster,
  hosts: readonly string[],
  observed: Observed,
): readonly Finding[] {
  if (endpointsOf(observed, { namespace, name }, portName).some(({ ready }) => ready)) return []
  const service = observed.services.items.find(
    ({ meta }) => meta.namespace === namespace && meta.name === name,
  )
  if (service === undefined) return []
  const { reason, message, next } = whyNoEndpoint(observed, service, portName)
  const [first = ''] = hosts.toSorted()
  const more = hosts.length > 1 ? ` and ${hosts.length - 1} more` : ''
  return [
    {
      severity: 'error',
      kind: 'Service',
      name: `${namespace}/${name}`,
      reason,
      message: `${message}; requests to ${first}${more} get 503`,
      next,
    },
  ]
}

function clustersOf({ plain, secure }: VirtualHost): readonly Cluster[] {
  const routes = [...plain, ...(secure?.kind === 'http' ? secure.routes : [])]
  const streams = secure?.kind === 'tcp' ? secure.targets.map(({ cluster }) => cluster) : []
  const forwarded = routes.flatMap(({ action }) =>
    action.kind === 'forward' ? clustersOfAction(action) : [],
  )
  return [...forwarded, ...streams]
}
