/** The kinds that translation reads, by the name under which they are observed and recorded. */
import type { HTTPProxy, TLSCertificateDelegation } from '@landfall/api'
import type { EndpointSlice, Ingress, Key, Secret, Service } from '@landfall/kube/model'

export interface ObjectsByKind {
  readonly ingress: Ingress
  readonly httpProxy: HTTPProxy
  readonly service: Service
  readonly secret: Secret
  readonly delegation: TLSCertificateDelegation
}

export type Kind = keyof ObjectsByKind

/** The world as translation sees it. The maps belong to the observer, which alone changes them. */
export type World = { readonly [K in Kind]: ReadonlyMap<Key, ObjectsByKind[K]> }

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

export function emptyWorld(): { readonly [K in Kind]: Map<Key, ObjectsByKind[K]> } {
  return {
    ingress: new Map(),
    httpProxy: new Map(),
    service: new Map(),
    secret: new Map(),
    delegation: new Map(),
  }
}
