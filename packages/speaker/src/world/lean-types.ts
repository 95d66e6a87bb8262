/**
 * Services and EndpointSlices as they are held: no more of them than is read, and what most have in common once. A
 * cluster has thousands.
 */
import { type ResourceType, serviceType } from '@landfall/kube'
import type * as kube from '@landfall/kube/model'
import type { Endpoint, EndpointSlice, Service } from '../plan/world.ts'

const none: Readonly<Record<string, string>> = {}

export const leanServiceType: ResourceType<Service> = {
  ...serviceType,
  project: (raw) => {
    const { meta, type, loadBalancerClass, externalTrafficPolicy, ingress } = serviceType.project(raw)
    return { meta, type, loadBalancerClass, externalTrafficPolicy, ingress }
  },
}

export function leanSlices(type: ResourceType<kube.EndpointSlice>): ResourceType<EndpointSlice> {
  const known = new Map<string, Endpoint>()
  const share = ({ ready, serving, nodeName }: kube.Endpoint): Endpoint => {
    const text = `${ready} ${serving} ${nodeName}`
    let endpoint = known.get(text)
    if (endpoint === undefined) known.set(text, (endpoint = { ready, serving, nodeName }))
    return endpoint
  }
  return {
    ...type,
    project: (raw) => {
      const { meta, serviceName, endpoints } = type.project(raw)
      return {
        meta: { ...meta, labels: none, annotations: none },
        serviceName,
        endpoints: endpoints.map(share),
      }
    },
  }
}
