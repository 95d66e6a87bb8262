/** The kinds that translation reads, by the name under which they are observed and recorded. */
import type { ExtensionService, HTTPProxy, TLSCertificateDelegation } from '@landfall/api'
import type { EndpointSlice, Ingress, Key, Secret, Service } from '@landfall/kube/model'
import { ByNamespace } from './by-namespace.ts'

export interface ObjectsByKind {
  readonly ingress: Ingress
  readonly httpProxy: HTTPProxy
  readonly service: Service
  readonly secret: Secret
  readonly delegation: TLSCertificateDelegation
  readonly extensionService: ExtensionService
}

export type Kind = keyof ObjectsByKind

/** The world as translation sees it. The maps belong to the observer, which alone changes them. */
export type World = { readonly [K in Kind]: ReadonlyMap<Key, ObjectsByKind[K]> } & {
  readonly delegation: Pick<ByNamespace<TLSCertificateDelegation>, 'within'>
}

export type OwnedWorld = { readonly [K in Kind]: Map<Key, ObjectsByKind[K]> } & {
  readonly delegation: ByNamespace<TLSCertificateDelegation>
}

/** One object that came, changed or went. `World` shows the state after it. */
export type Change = {
  readonly [K in Kind]: {
    readonly kind: K
    readonly key: Key
    readonly before: ObjectsByKind[K] | undefined
    readonly after: ObjectsByKind[K] | undefined
  }
}[Kind]

export interface SliceChange {
  readonly key: Key
  readonly before: EndpointSlice | undefined
  readonly after: EndpointSlice | undefined
}

export function emptyWorld(): OwnedWorld {
  return {
    ingress: new Map(),
    httpProxy: new Map(),
    service: new Map(),
    secret: new Map(),
    delegation: new ByNamespace(),
    extensionService: new Map(),
  }
}

/** Brings a world up to date with a change. For the owner of the maps. */
export function take(world: OwnedWorld, change: Change): void {
  const map: Map<Key, unknown> = world[change.kind]
  if (change.after === undefined) map.delete(change.key)
  else map.set(change.key, change.after)
}
