// Cluster DNS of this node: the Services and EndpointSlices that the API server has, and a server that
// answers from them, also while the API server is away.
import { DnsServer } from '../../dns/dns-server.ts'
import type { DnsEndpointSlice, DnsService, World } from '../../dns/zone.ts'
import type { ApiClient } from '../api/api-client.ts'
import { type ApiObject, ResourceWatch } from '../api/resource-watch.ts'

type Watched<T> = T & ApiObject

export class ClusterDns {
  readonly #services = new Map<string, Watched<DnsService>>()
  readonly #slices = new Map<string, Map<string, DnsEndpointSlice>>()
  readonly #slotOf = new Map<string, string>()
  readonly #watches: readonly { stop(): void; refresh(): void }[]
  readonly #server: Promise<DnsServer>

  constructor(client: ApiClient, addresses: readonly string[], onProblem: (problem: unknown) => void) {
    this.#watches = [
      new ResourceWatch<Watched<DnsService>>({
        client,
        path: '/api/v1/services',
        onChange: (uid, service) => this.#serviceChanged(uid, service),
        onProblem,
      }),
      new ResourceWatch<Watched<DnsEndpointSlice>>({
        client,
        path: '/apis/discovery.k8s.io/v1/endpointslices',
        onChange: (uid, slice) => this.#sliceChanged(uid, slice),
        onProblem,
      }),
    ]
    const world: World = {
      service: (namespace, name) => this.#services.get(`${namespace}/${name}`),
      slices: (namespace, service) => [...(this.#slices.get(`${namespace}/${service}`)?.values() ?? [])],
    }
    this.#server = DnsServer.start(addresses, world)
  }

  /** Throws when an address cannot be listened on. */
  async listening(): Promise<void> {
    await this.#server
  }

  refresh(): void {
    for (const watch of this.#watches) watch.refresh()
  }

  async stop(): Promise<void> {
    for (const watch of this.#watches) watch.stop()
    const server = await this.#server
    server.close()
  }

  #serviceChanged(uid: string, service: Watched<DnsService> | undefined): void {
    if (service === undefined) {
      const slot = this.#slotOf.get(uid) ?? ''
      this.#slotOf.delete(uid)
      // One of the same name may have come before this one was seen to go.
      if (this.#services.get(slot)?.metadata.uid === uid) this.#services.delete(slot)
      return
    }
    const slot = `${service.metadata.namespace}/${service.metadata.name}`
    this.#slotOf.set(uid, slot)
    this.#services.set(slot, service)
  }

  #sliceChanged(uid: string, slice: Watched<DnsEndpointSlice> | undefined): void {
    const before = this.#slotOf.get(uid)
    if (before !== undefined) {
      const slot = this.#slices.get(before)
      slot?.delete(uid)
      if (slot?.size === 0) this.#slices.delete(before)
      this.#slotOf.delete(uid)
    }
    const service = slice?.metadata.labels?.['kubernetes.io/service-name']
    if (slice === undefined || service === undefined) return
    const slot = `${slice.metadata.namespace}/${service}`
    this.#slotOf.set(uid, slot)
    const slices = this.#slices.get(slot) ?? new Map<string, DnsEndpointSlice>()
    this.#slices.set(slot, slices.set(uid, slice))
  }
}
