/**
 * Endpoints of the ports that some cluster wants. A change of an EndpointSlice re-encodes the ports of its own
 * Service and nothing else.
 */
import type { EndpointSlice, Key } from '@landfall/kube/model'
import type { Cluster } from '../dag/virtual-host.ts'
import { endpointsOf } from '../envoy/cluster.ts'
import { endpointsResource, type PortNames } from '../envoy/endpoints.ts'
import type { SliceChange } from '../model/objects.ts'
import { SliceIndex } from '../model/slice-index.ts'
import type { Resource } from '../xds/resource.ts'
import { ResourceTable } from './resource-table.ts'

interface Wanted extends PortNames {
  count: number
}

export class EndpointTables {
  readonly table = new ResourceTable()
  readonly #slices = new SliceIndex()
  /** Names wanted of each Service, with how many clusters want them. */
  readonly #wanted = new Map<Key, Map<string, Wanted>>()

  want(cluster: Cluster): void {
    const service = serviceOf(cluster)
    const name = endpointsOf(cluster)
    const names = this.#wanted.get(service) ?? new Map<string, Wanted>()
    this.#wanted.set(service, names)
    const found = names.get(name)
    if (found !== undefined) {
      found.count += 1
      return
    }
    const { portName, settings } = cluster
    const wanted = { portName, healthPortName: settings.healthPortName, count: 1 }
    names.set(name, wanted)
    this.table.set(encode(service, wanted, this.#slices.of(service)))
  }

  unwant(cluster: Cluster): void {
    const service = serviceOf(cluster)
    const names = this.#wanted.get(service)
    const found = names?.get(endpointsOf(cluster))
    if (names === undefined || found === undefined) return
    found.count -= 1
    if (found.count > 0) return
    names.delete(endpointsOf(cluster))
    if (names.size === 0) this.#wanted.delete(service)
    this.table.delete(endpointsOf(cluster))
  }

  apply(changes: readonly SliceChange[]): void {
    const services = new Set(changes.flatMap((change) => [...this.#slices.apply(change)]))
    for (const service of services) {
      for (const ports of this.#wanted.get(service)?.values() ?? []) {
        this.table.set(encode(service, ports, this.#slices.of(service)))
      }
    }
  }
}

function serviceOf(cluster: Cluster): Key {
  return `${cluster.namespace}/${cluster.service}`
}

function encode(service: Key, ports: PortNames, slices: Iterable<EndpointSlice>): Resource {
  const slash = service.indexOf('/')
  return endpointsResource(
    { namespace: service.slice(0, slash), name: service.slice(slash + 1) },
    ports,
    slices,
  )
}
