/**
 * Endpoints of the ports that some cluster wants. A change of an EndpointSlice re-encodes the ports of its own
 * Service, and the ExtensionServices that it is behind, and nothing else.
 */
import type { EndpointSlice, Key } from '@landfall/kube/model'
import type { Cluster } from '../dag/cluster.ts'
import { endpointsOf } from '../envoy/cluster.ts'
import { endpointsResource, type Part } from '../envoy/endpoints.ts'
import type { SliceChange } from '../model/objects.ts'
import { SliceIndex } from '../model/slice-index.ts'
import type { Resource } from '../xds/resource.ts'
import { ResourceTable } from './resource-table.ts'

interface Wanted {
  readonly sources: readonly Source[]
  readonly count: number
}

type Source = Omit<Part, 'slices'> & { readonly service: Key }

export class EndpointTables {
  readonly table = new ResourceTable()
  readonly #slices = new SliceIndex()
  /** By name, with how many clusters want it. */
  readonly #wanted = new Map<string, Wanted>()
  /** Names that a Service has a part in. */
  readonly #names = new Map<Key, Set<string>>()

  /** What the newest cluster of a name says counts. */
  want(cluster: Cluster): void {
    const name = endpointsOf(cluster)
    if (name === undefined) return
    const sources = sourcesOf(cluster)
    const found = this.#wanted.get(name)
    this.#wanted.set(name, { sources, count: (found?.count ?? 0) + 1 })
    if (found !== undefined && cluster.kind === 'service') return
    this.#forget(name, found?.sources ?? [])
    for (const { service } of sources) {
      const names = this.#names.get(service) ?? new Set()
      this.#names.set(service, names.add(name))
    }
    this.table.set(this.#encode(name, sources))
  }

  unwant(cluster: Cluster): void {
    const name = endpointsOf(cluster)
    const found = name === undefined ? undefined : this.#wanted.get(name)
    if (name === undefined || found === undefined) return
    if (found.count > 1) {
      this.#wanted.set(name, { ...found, count: found.count - 1 })
      return
    }
    this.#wanted.delete(name)
    this.#forget(name, found.sources)
    this.table.delete(name)
  }

  apply(changes: readonly SliceChange[]): void {
    const services = new Set(changes.flatMap((change) => [...this.#slices.apply(change)]))
    const names = new Set([...services].flatMap((service) => [...(this.#names.get(service) ?? [])]))
    for (const name of names) this.table.set(this.#encode(name, this.#wanted.get(name)?.sources ?? []))
  }

  #forget(name: string, sources: readonly Source[]): void {
    for (const { service } of sources) {
      const names = this.#names.get(service)
      names?.delete(name)
      if (names?.size === 0) this.#names.delete(service)
    }
  }

  #encode(name: string, sources: readonly Source[]): Resource {
    const slices = (service: Key): Iterable<EndpointSlice> => this.#slices.of(service)
    return endpointsResource(
      name,
      sources.map(({ service, ...part }) => ({ ...part, slices: slices(service) })),
    )
  }
}

function sourcesOf(cluster: Cluster): readonly Source[] {
  if (cluster.kind === 'dns') return []
  const { namespace } = cluster
  if (cluster.kind === 'service') {
    const { portName, settings } = cluster
    const ports = { portName, healthPortName: settings.healthPortName }
    return [{ service: `${namespace}/${cluster.service}`, ports, locality: undefined }]
  }
  const alone = cluster.targets.length === 1
  return cluster.targets.map(({ service, portName, weight }) => ({
    service: `${namespace}/${service}`,
    ports: { portName, healthPortName: undefined },
    locality: alone ? undefined : { name: portName === '' ? service : `${service}/${portName}`, weight },
  }))
}
