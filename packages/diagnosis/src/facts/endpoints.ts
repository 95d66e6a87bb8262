/** Which endpoints a Service's port has, and which pods are behind them. */
import type { EndpointSlice } from '@landfall/kube/model'
import type { Observed, PodFacts } from '../observed.ts'

export interface EndpointFact {
  readonly address: string
  readonly port: number
  readonly ready: boolean
  readonly node: string
  readonly pod: PodFacts | undefined
}

export type SeenOf = Pick<Observed, 'slices' | 'pods'>

/** @param portName of the Service; undefined: any. Each address once, sorted */
export function endpointsOf(
  { slices, pods }: SeenOf,
  service: { readonly namespace: string; readonly name: string },
  portName: string | undefined,
): readonly EndpointFact[] {
  const found = new Map<string, EndpointFact>()
  for (const slice of slicesOf(slices.items, service))
    for (const { port } of portsOf(slice, portName))
      for (const { addresses, ready, nodeName: node } of slice.endpoints) {
        const [address = ''] = addresses
        const pod = pods.items.find(
          ({ meta, podIPs }) => meta.namespace === service.namespace && podIPs.includes(address),
        )
        found.set(`${address} ${port}`, { address, port, ready, node, pod })
      }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint)
}

export function slicesOf(
  slices: readonly EndpointSlice[],
  { namespace, name }: { readonly namespace: string; readonly name: string },
): readonly EndpointSlice[] {
  return slices.filter(({ meta, serviceName }) => meta.namespace === namespace && serviceName === name)
}

function portsOf({ ports }: EndpointSlice, name: string | undefined) {
  return name === undefined ? ports : ports.filter((port) => port.name === name && port.protocol === 'TCP')
}

/** Pods that the selector of a Service matches; none where it has no selector. */
export function selectedPods(
  pods: readonly PodFacts[],
  service: {
    readonly meta: { readonly namespace: string }
    readonly selector: Readonly<Record<string, string>>
  },
): readonly PodFacts[] {
  const wanted = Object.entries(service.selector)
  if (wanted.length === 0) return []
  return pods.filter(
    ({ meta }) =>
      meta.namespace === service.meta.namespace &&
      wanted.every(([label, value]) => meta.labels[label] === value),
  )
}

/** `app=shop,tier=web` */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join(',')
}
