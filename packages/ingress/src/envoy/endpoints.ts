/**
 * EndpointSlices of a Service → the ClusterLoadAssignment of one of its ports, or of several Services that stand
 * behind one name: every ready TCP endpoint once, both address families, sorted. What a change of a slice costs
 * depends on its Service alone.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { ClusterLoadAssignmentSchema } from '@envoyproxy/envoy-types/envoy/config/endpoint/v3/endpoint'
import type { EndpointSlice } from '@landfall/kube/model'
import { makeResource, type Resource } from '../xds/resource.ts'

interface Address {
  readonly address: string
  readonly portValue: number
  /** Where health checks go; undefined: the same port. */
  readonly healthPort: number | undefined
}

export interface PortNames {
  /** '' for the only, unnamed port. */
  readonly portName: string
  /** Of the port that health checks use, if it is another. */
  readonly healthPortName: string | undefined
}

/** A Service's port, as one part of a cluster's endpoints. */
export interface Part {
  readonly ports: PortNames
  readonly slices: Iterable<EndpointSlice>
  /** What tells it from the others, and its share; undefined when it is the only one. */
  readonly locality: { readonly name: string; readonly weight: number } | undefined
}

export function endpointsResource(name: string, parts: readonly Part[]): Resource {
  const message = create(ClusterLoadAssignmentSchema, {
    clusterName: name,
    endpoints: parts.flatMap(groupOf),
  })
  return makeResource(name, toBinary(ClusterLoadAssignmentSchema, message))
}

function groupOf({ ports, slices, locality }: Part) {
  const addresses = addressesOf(ports, slices)
  if (addresses.length === 0 || locality?.weight === 0) return []
  return [
    {
      lbEndpoints: addresses.map(lbEndpoint),
      loadBalancingWeight: locality?.weight ?? 1,
      ...(locality === undefined ? {} : { locality: { zone: locality.name } }),
    },
  ]
}

function addressesOf(
  { portName, healthPortName }: PortNames,
  slices: Iterable<EndpointSlice>,
): readonly Address[] {
  const found = new Map<string, Address>()
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue
    const named = (name: string) =>
      slice.ports.filter((port) => port.protocol === 'TCP' && port.name === name)
    const healthPort = healthPortName === undefined ? undefined : named(healthPortName)[0]?.port
    const ready = slice.endpoints.filter((endpoint) => endpoint.ready)
    for (const { port } of named(portName)) {
      for (const { addresses } of ready) {
        const address = addresses[0]
        if (address !== undefined) found.set(`${address} ${port}`, { address, portValue: port, healthPort })
      }
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address)
}

function lbEndpoint({ address, portValue, healthPort }: Address) {
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
        ...(healthPort === undefined ? {} : { healthCheckConfig: { portValue: healthPort } }),
      },
    },
  }
}
