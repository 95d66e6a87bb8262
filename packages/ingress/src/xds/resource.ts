/**
 * What translation hands to the xDS server: immutable, already encoded resources, grouped by type.
 *
 * In: the encoded message of each resource (`toBinary` of Cluster, ClusterLoadAssignment, Listener,
 * RouteConfiguration, ScopedRouteConfiguration, Secret, Runtime). Out: the maps of a `Snapshot`, keyed by resource name.
 * A version is a content hash, so that two replicas and a restarted one say the same.
 */
import { hash } from 'node:crypto'

/** In the order in which additions travel; removals travel last. */
export const resourceTypes = [
  'clusters',
  'endpoints',
  'secrets',
  'listeners',
  'routes',
  'scopes',
  'runtime',
] as const
export type ResourceType = (typeof resourceTypes)[number]

export const removalOrder: readonly ResourceType[] = [
  'scopes',
  'listeners',
  'routes',
  'clusters',
  'endpoints',
  'secrets',
  'runtime',
]

export const typeUrls: Readonly<Record<ResourceType, string>> = {
  clusters: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoints: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  secrets: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  listeners: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  routes: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  scopes: 'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration',
  runtime: 'type.googleapis.com/envoy.service.runtime.v3.Runtime',
}

/** Names of resources that must be there before this one can work. */
export interface References {
  readonly clusters?: readonly string[]
  /** EDS names of a cluster, where they differ from its own name. */
  readonly endpoints?: readonly string[]
  readonly secrets?: readonly string[]
}

export interface Resource {
  /** The name by which Envoy subscribes to it; equal to the name inside the message. */
  readonly name: string
  /** Hash of `bytes`, 16 hex digits. */
  readonly version: string
  /** The encoded message, without an Any around it. Never written to afterwards. */
  readonly bytes: Uint8Array
  readonly references?: References
}

export type ResourceMap = ReadonlyMap<string, Resource>

/** The whole desired state of every Envoy. A map that is `===` to the one before is known to be unchanged. */
export interface Snapshot {
  readonly clusters: ResourceMap
  readonly endpoints: ResourceMap
  readonly listeners: ResourceMap
  /** Tables of routes, in layouts that have them. */
  readonly routes?: ResourceMap
  readonly scopes: ResourceMap
  readonly secrets: ResourceMap
  readonly runtime?: ResourceMap
}

export function makeResource(name: string, bytes: Uint8Array, references?: References): Resource {
  const version = hash('sha256', bytes).slice(0, 16)
  return references === undefined ? { name, version, bytes } : { name, version, bytes, references }
}
