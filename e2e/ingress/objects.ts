/** HTTPProxies with three routes each, their headless Services and EndpointSlices, and how they come and go. */
import { type Cluster, pathOf, type RawObject } from '@landfall/kube'
import { podAddress } from './own-network.ts'

export const namespace = 'shop'
export const backendPort = 9000
const parallel = 16

export type Kind = 'namespace' | 'service' | 'slice' | 'proxy' | 'secret'

const types = {
  namespace: { apiVersion: 'v1', plural: 'namespaces', namespaced: false },
  service: { apiVersion: 'v1', plural: 'services', namespaced: true },
  slice: { apiVersion: 'discovery.k8s.io/v1', plural: 'endpointslices', namespaced: true },
  proxy: { apiVersion: 'projectcontour.io/v1', plural: 'httpproxies', namespaced: true },
  secret: { apiVersion: 'v1', plural: 'secrets', namespaced: true },
} as const

export interface Endpoint {
  readonly ip: string
  /** Ready unless said otherwise. */
  readonly state?: 'terminating'
}

export interface ProxyOptions {
  /** What `/version` answers. */
  readonly version?: string
  /** Names of Services with their weights; the one of the same name otherwise. */
  readonly services?: readonly {
    readonly name: string
    readonly weight?: number
    readonly protocol?: 'tls'
    readonly validation?: { readonly caSecret: string; readonly subjectName: string }
  }[]
  readonly secret?: string
  /** Of those that clients must show: the names of the Secrets with the authorities and the lists. */
  readonly clients?: { readonly caSecret: string; readonly crlSecret?: string }
}

export function hostOf(name: string): string {
  return `${name}.shop.test`
}

export function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(5, '0')}`)
}

export function serviceObject(name: string): RawObject {
  const ports = [{ name: 'http', port: 80, targetPort: backendPort }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { clusterIP: 'None', ports },
  }
}

export function sliceObject(
  name: string,
  endpoints: readonly Endpoint[] = [{ ip: podAddress(0) }],
  port = backendPort,
): RawObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: endpoints.map(({ ip, state }) => ({
      addresses: [ip],
      conditions:
        state === 'terminating'
          ? { ready: false, serving: true, terminating: true }
          : { ready: true, serving: true, terminating: false },
    })),
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  }
}

export function proxyObject(name: string, options: ProxyOptions = {}): RawObject {
  const { version = 'first', services = [{ name }], secret, clients } = options
  const tls = { secretName: secret, ...(clients === undefined ? {} : { clientValidation: clients }) }
  const backends = services.map((service) => ({ ...service, port: 80 }))
  return {
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { namespace, name },
    spec: {
      virtualhost: { fqdn: hostOf(name), ...(secret === undefined ? {} : { tls }) },
      routes: [
        { conditions: [{ prefix: '/' }], services: backends },
        { conditions: [{ prefix: '/app' }], services: backends },
        {
          conditions: [{ prefix: '/version' }],
          directResponsePolicy: { statusCode: 200, body: version },
        },
      ],
    },
  }
}

export class Objects {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async create(kind: Kind, object: RawObject): Promise<void> {
    await this.#cluster.request({ method: 'POST', path: this.#path(kind), body: object })
  }

  /** Over whatever is there. */
  async replace(kind: Kind, object: RawObject): Promise<void> {
    await this.#cluster.request({
      method: 'PATCH',
      path: this.#path(kind, object.metadata.name),
      body: object,
      contentType: 'application/merge-patch+json',
    })
  }

  async delete(kind: Kind, name: string): Promise<void> {
    await this.#cluster.request({ method: 'DELETE', path: this.#path(kind, name) })
  }

  async get(kind: Kind, name: string): Promise<RawObject> {
    return await this.#cluster.request({ method: 'GET', path: this.#path(kind, name) })
  }

  /** Services with their EndpointSlices. */
  async createServices(all: readonly string[]): Promise<void> {
    await each(all, async (name) => {
      await this.create('service', serviceObject(name))
      await this.create('slice', sliceObject(name))
    })
  }

  async deleteServices(all: readonly string[]): Promise<void> {
    await each(all, async (name) => {
      await this.delete('service', name)
      await this.delete('slice', name)
    })
  }

  #path(kind: Kind, name?: string): string {
    const at = kind === 'namespace' ? {} : { namespace }
    return pathOf(types[kind], name === undefined ? at : { ...at, name })
  }
}

/** Some at a time, in order. */
export async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  const one = async () => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: parallel }, one))
}
