/** How much goes into one response. */
import { scopeName, sides } from '../../envoy/names.ts'
import type { ResourceType } from '../resource.ts'

/** Types of which a response of the state of the world says everything there is: what it leaves out is gone. */
export const sentWhole: ReadonlySet<ResourceType> = new Set(['listeners', 'clusters'])

/** A response ends at the resource that reaches this. */
export const responseBytes = 1024 * 1024

/**
 * Scopes go alone while few, or with others of their host: a refused one spoils its neighbours in the message (Envoy
 * applies none of them but remembers their hashes), and each message has Envoy copy its map of all. Many at once, as
 * when an Envoy starts, go in chunks; the spoilt are sent again, varied.
 */
export const scopesAlone = 16
export const scopesInChunk = 250

export function responseCount(type: ResourceType, pending: number, loading: boolean): number {
  if (type !== 'scopes') return Number.POSITIVE_INFINITY
  return loading || pending > scopesAlone ? scopesInChunk : 1
}

/** Whether a resource may share the response of another where one is the most. */
export function belongTogether(type: ResourceType, one: string | undefined, other: string): boolean {
  return type === 'scopes' && one !== undefined && hostOf(one) === hostOf(other)
}

/** The names that other scopes of the same host would have. */
export function othersOfHost(scope: string): readonly string[] {
  return sides.map((side) => scopeName(side, hostOf(scope))).filter((name) => name !== scope)
}

function hostOf(scope: string): string {
  return scope.slice(scope.indexOf('/') + 1)
}
