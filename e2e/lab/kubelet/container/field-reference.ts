// The downward API: fieldRef and resourceFieldRef, for environment and volumes alike.
import type { Container, FieldRef, Pod, ResourceFieldRef } from '../api/pod.ts'
import { divideQuantity, parseQuantity } from './quantity.ts'

/** What the node adds to the pod's own object. */
export interface PodPlace {
  readonly podIPs: readonly string[]
  readonly hostIPs: readonly string[]
  /** Of the node, for limits that are not set. */
  readonly capacity: { readonly cpu: number; readonly memory: number }
}

/** Undefined for a path that the downward API does not have. */
export function fieldValue(pod: Pod, place: PodPlace, reference: FieldRef): string | undefined {
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(reference.fieldPath)
  if (keyed !== null) {
    const values = keyed[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations
    return values?.[keyed[2] ?? ''] ?? ''
  }
  switch (reference.fieldPath) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return formatMap(pod.metadata.labels ?? {})
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations ?? {})
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.podIP':
      return place.podIPs[0] ?? ''
    case 'status.podIPs':
      return place.podIPs.join(',')
    case 'status.hostIP':
      return place.hostIPs[0] ?? ''
    case 'status.hostIPs':
      return place.hostIPs.join(',')
    default:
      return undefined
  }
}

/** Undefined for another resource than limits and requests of cpu, memory and ephemeral storage. */
export function resourceValue(
  pod: Pod,
  own: Container | undefined,
  place: PodPlace,
  reference: ResourceFieldRef,
): string | undefined {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const container =
    reference.containerName === undefined ? own : containers.find((c) => c.name === reference.containerName)
  const [side, name = ''] = reference.resource.split('.', 2)
  if (container === undefined || (side !== 'limits' && side !== 'requests')) return undefined
  const capacity = { cpu: place.capacity.cpu, memory: place.capacity.memory, 'ephemeral-storage': 0 }
  if (!(name === 'cpu' || name === 'memory' || name === 'ephemeral-storage')) return undefined
  const written = container.resources?.[side]?.[name]
  const unset = side === 'limits' ? capacity[name] : 0
  return divideQuantity(written === undefined ? unset : (parseQuantity(written) ?? 0), reference.divisor)
}

function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')
}
