/** Steps 8 to 10: the clusters of the route, their endpoints, and the pods behind these. */
import { type Cluster, clusterName, clustersOfAction, type RequestTrace } from '@landfall/ingress/routing'
import { keyOf } from '@landfall/kube/model'
import type { ClusterView } from '../cluster-view.ts'
import { type EndpointFact, endpointsOf } from '../facts/endpoints.ts'
import { adviceOnRefusal } from '../facts/envoy-refusal.ts'
import { whyNoEndpoint } from '../facts/why-no-endpoint.ts'
import type { BalancedService } from '../observed.ts'
import { broken, doubtful, fine, type Step, skipped, unknown } from './step.ts'
import { refusalOf } from './virtual-host.ts'

type ServiceCluster = Extract<Cluster, { readonly kind: 'service' }>

interface Backend {
  readonly cluster: ServiceCluster
  readonly service: BalancedService | undefined
  readonly endpoints: readonly EndpointFact[]
}

export function traceBackends(view: ClusterView, found: RequestTrace): readonly Step[] {
  const clusters = clustersOf(found)
  if (clusters.length === 0) {
    const why = whyNone(found)
    return [skipped('cluster', why), skipped('endpoints', why), skipped('pods', why)]
  }
  const backends = clusters.flatMap((cluster) =>
    cluster.kind === 'service' ? [backendOf(view, cluster)] : [],
  )
  return [clusterStep(view, found, clusters), endpointStep(view, backends), podStep(view, backends)]
}

function whyNone({ served }: RequestTrace): string {
  if (served === undefined) return 'there is no virtual host'
  return served.kind === 'http' && served.route === undefined ? 'there is no route' : 'Envoy answers itself'
}

/** Those that take a share; a mirror's answers are nobody's. */
export function clustersOf({ served }: RequestTrace): readonly Cluster[] {
  if (served?.kind === 'tcp') {
    return served.targets.filter(({ weight }) => weight > 0).map(({ cluster }) => cluster)
  }
  const action = served?.route?.action
  if (action?.kind !== 'forward') return []
  const taking = action.clusters.filter(({ weight }) => weight > 0).map(({ cluster }) => cluster)
  return taking.length > 0 ? taking : clustersOfAction(action)
}

function backendOf({ observed }: ClusterView, cluster: ServiceCluster): Backend {
  const { namespace, service: name, portName } = cluster
  const service = observed.services.items.find(
    ({ meta }) => meta.namespace === namespace && meta.name === name,
  )
  return { cluster, service, endpoints: endpointsOf(observed, { namespace, name }, portName) }
}

function clusterStep(view: ClusterView, found: RequestTrace, clusters: readonly Cluster[]): Step {
  const texts = clusters.map((cluster) =>
    cluster.kind === 'service'
      ? `${clusterName(cluster)}: Service ${cluster.namespace}/${cluster.service} port ${cluster.port}${protocolText(cluster)}`
      : clusterName(cluster),
  )
  const refused = refusalOf(view, found, ['clusters', 'endpoints'])
  const [first = '', ...details] = texts
  if (refused === undefined) return fine('cluster', first, details)
  return broken('cluster', 'EnvoyRefused', refused, {
    next: adviceOnRefusal(found.root ?? '', refused, view.observed.places),
    details: texts,
  })
}

function protocolText({ settings }: ServiceCluster): string {
  const { protocol, external } = settings
  const by = protocol === '' ? '' : ` by ${protocol}`
  return external === undefined ? by : `${by}, looked up as ${external.host}`
}

function endpointStep({ observed }: ClusterView, backends: readonly Backend[]): Step {
  const step = 'endpoints'
  if (observed.slices.gap !== undefined) return unknown(step, 'notReadable', observed.slices.gap.message)
  const looked = backends.filter(({ cluster }) => cluster.settings.external === undefined)
  if (looked.length === 0) return skipped(step, 'Envoy looks the name up in the DNS')
  const empty = looked.filter(({ endpoints }) => !endpoints.some(({ ready }) => ready))
  const lines = looked.map(lineOf)
  const [first] = empty
  if (first === undefined) return fine(step, lines[0] ?? '', lines.slice(1))
  const lack = first.service && whyNoEndpoint(observed, first.service, first.cluster.portName)
  const message = lack?.message ?? lineOf(first)
  const more = { next: lack?.next ?? '', details: lines }
  if (empty.length < looked.length) {
    return doubtful(
      step,
      lack?.reason ?? 'noEndpoints',
      `requests to one of the backends get 503: ${message}`,
      more,
    )
  }
  return broken(step, lack?.reason ?? 'noEndpoints', `${message}: the answer is 503`, more)
}

function lineOf({ cluster, endpoints }: Backend): string {
  const ready = endpoints.filter((one) => one.ready).length
  return `Service ${cluster.namespace}/${cluster.service}: ${ready} of ${endpoints.length} endpoints ready`
}

function podStep({ observed }: ClusterView, backends: readonly Backend[]): Step {
  const step = 'pods'
  if (observed.pods.gap !== undefined) return unknown(step, 'notReadable', observed.pods.gap.message)
  const endpoints = backends.flatMap((one) => one.endpoints)
  const ready = endpoints.filter((one) => one.ready)
  if (ready.length === 0) return skipped(step, 'there is no ready endpoint')
  const lines = endpoints.map(podLine)
  const gone = ready.filter(({ pod }) => pod !== undefined && !pod.ready)
  if (gone.length === ready.length) {
    const message = `the endpoints are said to be ready, and their pods are not: ${gone.map(podLine).join('; ')}`
    const next =
      'Wait a moment: EndpointSlices follow. If it stays so: kubectl -n kube-system get pods -l component=kube-controller-manager'
    return broken(step, 'podsNotReady', message, { next, details: lines })
  }
  return fine(step, lines[0] ?? '', lines.slice(1))
}

function podLine({ pod, address, port, node, ready }: EndpointFact): string {
  const name = pod === undefined ? 'no pod is known for' : keyOf(pod.meta)
  const state = ready ? '' : `, NOT ready${pod?.trouble ? ` (${pod.trouble})` : ''}`
  return `${name} ${address}:${port}${node === '' ? '' : ` on ${node}`}${state}`
}
