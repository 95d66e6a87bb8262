/** The built-in kinds: where they are, and their projections to the model. */
import type {
  ConfigMap,
  Endpoint,
  EndpointSlice,
  Ingress,
  IngressBackend,
  IngressPath,
  IPFamily,
  LoadBalancerIngress,
  Namespace,
  Node,
  Pod,
  Protocol,
  Secret,
  Service,
  ServicePort,
  TrafficPolicy,
} from './model/index.ts'
import { projectMeta, type RawObject, type ResourceType } from './resource.ts'

export const serviceType: ResourceType<Service> = {
  apiVersion: 'v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
  project: (raw) => {
    const spec = object(raw['spec'])
    return {
      meta: projectMeta(raw),
      type: text(spec['type']),
      loadBalancerClass: text(spec['loadBalancerClass']),
      loadBalancerIP: text(spec['loadBalancerIP']),
      clusterIPs: clusterIPsOf(spec),
      ipFamilies: texts(spec['ipFamilies']).filter(
        (one): one is IPFamily => one === 'IPv4' || one === 'IPv6',
      ),
      ipFamilyPolicy: text(spec['ipFamilyPolicy']) as Service['ipFamilyPolicy'],
      externalTrafficPolicy: (text(spec['externalTrafficPolicy']) || 'Cluster') as TrafficPolicy,
      externalName: text(spec['externalName']),
      selector: record(spec['selector']),
      ports: objects(spec['ports']).map(projectServicePort),
      ingress: projectLoadBalancer(raw),
    }
  },
}

/** Servers before v1.20 know one, and none in plural. */
function clusterIPsOf(spec: Fields): readonly string[] {
  const one = text(spec['clusterIP'])
  return spec['clusterIPs'] === undefined && one !== '' ? [one] : texts(spec['clusterIPs'])
}

function projectServicePort(port: Fields): ServicePort {
  const target = port['targetPort']
  return {
    name: text(port['name']),
    protocol: (text(port['protocol']) || 'TCP') as Protocol,
    port: number(port['port']),
    targetPort: typeof target === 'string' ? target : number(target),
    nodePort: number(port['nodePort']),
    appProtocol: text(port['appProtocol']),
  }
}

function projectLoadBalancer(raw: RawObject): readonly LoadBalancerIngress[] {
  const balancer = object(object(raw['status'])['loadBalancer'])
  return objects(balancer['ingress']).map((entry) => ({
    ...(typeof entry['ip'] === 'string' ? { ip: entry['ip'] } : {}),
    ...(typeof entry['hostname'] === 'string' ? { hostname: entry['hostname'] } : {}),
    // Nearly all are, and servers before v1.29 know no other.
    ...(typeof entry['ipMode'] === 'string' && entry['ipMode'] !== 'VIP' ? { ipMode: entry['ipMode'] } : {}),
  }))
}

export const endpointSliceType: ResourceType<EndpointSlice> = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  project: (raw) => {
    const meta = projectMeta(raw)
    return {
      meta,
      serviceName: meta.labels['kubernetes.io/service-name'] ?? '',
      addressType: text(raw['addressType']) as EndpointSlice['addressType'],
      ports: objects(raw['ports']).map(projectEndpointPort),
      endpoints: objects(raw['endpoints']).map(projectEndpoint),
    }
  },
}

/** v1 Endpoints, as the one slice of its Service: what there was before EndpointSlices, and is still kept. */
export const endpointsType: ResourceType<EndpointSlice> = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  namespaced: true,
  project: (raw) => {
    const meta = projectMeta(raw)
    const subsets = objects(raw['subsets'])
    const endpoints = subsets.flatMap((subset) => [
      ...objects(subset['addresses']).map((address) => projectEndpointAddress(address, true)),
      ...objects(subset['notReadyAddresses']).map((address) => projectEndpointAddress(address, false)),
    ])
    const isIPv6 = endpoints.some(({ addresses }) => addresses[0]?.includes(':'))
    return {
      meta,
      serviceName: meta.name,
      addressType: isIPv6 ? 'IPv6' : 'IPv4',
      ports: subsets.flatMap((subset) => objects(subset['ports']).map(projectEndpointPort)),
      endpoints,
    }
  },
}

function projectEndpointAddress(address: Fields, ready: boolean): Endpoint {
  const nodeName = text(address['nodeName'])
  return { addresses: [text(address['ip'])], ready, serving: ready, terminating: false, nodeName }
}

function projectEndpointPort(port: Fields): EndpointSlice['ports'][number] {
  return {
    name: text(port['name']),
    protocol: (text(port['protocol']) || 'TCP') as Protocol,
    port: number(port['port']),
  }
}

/** discovery.k8s.io/v1 EndpointConditions: ready nil means true, serving nil follows ready. */
function projectEndpoint(endpoint: Fields): Endpoint {
  const conditions = object(endpoint['conditions'])
  const ready = conditions['ready'] !== false
  return {
    addresses: texts(endpoint['addresses']),
    ready,
    serving: typeof conditions['serving'] === 'boolean' ? conditions['serving'] : ready,
    terminating: conditions['terminating'] === true,
    nodeName: text(endpoint['nodeName']),
  }
}

const outOfServiceTaint = 'node.kubernetes.io/out-of-service'

export const nodeType: ResourceType<Node> = {
  apiVersion: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  project: (raw) => {
    const [spec, status] = [object(raw['spec']), object(raw['status'])]
    const conditions = objects(status['conditions'])
    const holds = (type: string) =>
      conditions.some((condition) => condition['type'] === type && condition['status'] === 'True')
    return {
      meta: projectMeta(raw),
      internalIPs: objects(status['addresses'])
        .filter((address) => address['type'] === 'InternalIP')
        .map((address) => text(address['address'])),
      ready: holds('Ready'),
      networkUnavailable: holds('NetworkUnavailable'),
      unschedulable: spec['unschedulable'] === true,
      outOfService: objects(spec['taints']).some(({ key }) => key === outOfServiceTaint),
    }
  },
}

export const namespaceType: ResourceType<Namespace> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  project: (raw) => ({ meta: projectMeta(raw) }),
}

export const secretType: ResourceType<Secret> = {
  apiVersion: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  project: (raw) => ({
    meta: projectMeta(raw),
    type: text(raw['type']),
    data: Object.fromEntries(
      Object.entries(record(raw['data'])).map(([key, value]) => [
        key,
        new Uint8Array(Buffer.from(value, 'base64')),
      ]),
    ),
  }),
}

export const configMapType: ResourceType<ConfigMap> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  project: (raw) => ({ meta: projectMeta(raw), data: record(raw['data']) }),
}

const defaultGraceSeconds = 30

export const podType: ResourceType<Pod> = {
  apiVersion: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  project: (raw) => {
    const [spec, status] = [object(raw['spec']), object(raw['status'])]
    const ofDeletion = object(raw['metadata'])['deletionGracePeriodSeconds']
    const addresses = (value: unknown) => objects(value).map((entry) => text(entry['ip']))
    return {
      meta: projectMeta(raw),
      nodeName: text(spec['nodeName']),
      podIPs: addresses(status['podIPs']),
      hostIPs: addresses(status['hostIPs']),
      images: objects(spec['containers']).map((container) => text(container['image'])),
      phase: text(status['phase']),
      ready: objects(status['conditions']).some(
        (condition) => condition['type'] === 'Ready' && condition['status'] === 'True',
      ),
      graceSeconds: number(ofDeletion ?? spec['terminationGracePeriodSeconds'] ?? defaultGraceSeconds),
    }
  },
}

export const ingressType: ResourceType<Ingress> = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
  project: (raw) => {
    const spec = object(raw['spec'])
    return {
      meta: projectMeta(raw),
      ingressClassName: text(spec['ingressClassName']),
      defaultBackend: projectBackend(spec['defaultBackend']),
      tls: objects(spec['tls']).map((tls) => ({
        hosts: texts(tls['hosts']),
        secretName: text(tls['secretName']),
      })),
      rules: objects(spec['rules']).map((rule) => ({
        host: text(rule['host']),
        paths: objects(object(rule['http'])['paths']).map(projectPath),
      })),
      ingress: projectLoadBalancer(raw),
    }
  },
}

function projectPath(path: Fields): IngressPath {
  return {
    path: text(path['path']),
    pathType: (text(path['pathType']) || 'ImplementationSpecific') as IngressPath['pathType'],
    backend: projectBackend(path['backend']),
  }
}

function projectBackend(value: unknown): IngressBackend | undefined {
  const service = object(object(value)['service'])
  if (typeof service['name'] !== 'string') return undefined
  const port = object(service['port'])
  return { serviceName: service['name'], port: { number: number(port['number']), name: text(port['name']) } }
}

type Fields = Readonly<Record<string, unknown>>

function object(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function objects(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(object) : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function record(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(object(value))
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
