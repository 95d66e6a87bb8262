/** How much goes into one response. */
import type { ResourceType } from '../resource.ts'

/** Types of which a response of the state of the world says everything there is: what it leaves out is gone. */
export const sentWhole: ReadonlySet<ResourceType> = new Set(['listeners', 'clusters'])

/** A response ends at the resource that reaches this. */
export const responseBytes = 1024 * 1024

/**
 * Scopes go alone while few: a refused one spoils its neighbours in the message (Envoy applies none of them but
 * remembers their hashes). Many at once, as when an Envoy starts, go in chunks; the spoilt are sent again, varied.
 */
export const scopesAlone = 16
export const scopesInChunk = 250

export function responseCount(type: ResourceType, pending: number, loading: boolean): number {
  if (type !== 'scopes') return Number.POSITIVE_INFINITY
  return loading || pending > scopesAlone ? scopesInChunk : 1
}
