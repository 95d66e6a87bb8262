/**
 * EndpointSlices of a Service → the ClusterLoadAssignment of one of its ports: every ready TCP endpoint once, both
 * address families, sorted. What a change of a slice costs depends on its Service alone.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { ClusterLoadAssignmentSchema } from '@envoyproxy/envoy-types/envoy/config/endpoint/v3/endpoint'
import type { EndpointSlice } from '@landfall/kube/model'
import { makeResource, type Resource } from '../xds/resource.ts'
import { endpointsName } from './names.ts'

interface Address {
  readonly address: string
  readonly portValue: number
}

/** `service` is `namespace/name`; `portName` is '' for the only, unnamed port. */
export function endpointsResource(
  service: { readonly namespace: string; readonly name: string },
  portName: string,
  slices: Iterable<EndpointSlice>,
): Resource {
  const name = endpointsName(service.namespace, service.name, portName)
  const addresses = addressesOf(portName, slices)
  const message = create(ClusterLoadAssignmentSchema, {
    clusterName: name,
    endpoints:
      addresses.length === 0 ? [] : [{ lbEndpoints: addresses.map(lbEndpoint), loadBalancingWeight: 1 }],
  })
  return makeResource(name, toBinary(ClusterLoadAssignmentSchema, message))
}

function addressesOf(portName: string, slices: Iterable<EndpointSlice>): readonly Address[] {
  const found = new Map<string, Address>()
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue
    const ports = slice.ports.filter((port) => port.protocol === 'TCP' && port.name === portName)
    const ready = slice.endpoints.filter((endpoint) => endpoint.ready)
    for (const { port } of ports) {
      for (const { addresses } of ready) {
        const address = addresses[0]
        if (address !== undefined) found.set(`${address} ${port}`, { address, portValue: port })
      }
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address)
}

function lbEndpoint({ address, portValue }: Address) {
  return {
    hostIdentifier: {
      case: 'endpoint' as const,
      value: {
        address: {
          address: {
            case: 'socketAddress' as const,
            value: { address, portSpecifier: { case: 'portValue' as const, value: portValue } },
          },
        },
      },
    },
  }
}
