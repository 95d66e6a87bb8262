/** What the allocator answers for a Service. */
import type { IP } from '@landfall/netip'

/** Why a Service has no address. Stable: the same code stands in events, logs and metrics. */
export type RefusalReason =
  | 'NoPools'
  | 'NoClusterIPs'
  | 'NotEnoughClusterIPs'
  | 'InvalidRequest'
  | 'FamilyMismatch'
  | 'PoolNotFound'
  | 'PoolRefused'
  | 'PoolNotAllowed'
  | 'AddressNotInPool'
  | 'AddressAvoided'
  | 'AddressInUse'
  | 'NoFreeAddress'
  | 'PoolRemoved'

/**
 * For as long as a Service waits, reason and message stay the same: they say nothing that others change by taking
 * addresses or by giving them back.
 */
export interface Refusal {
  readonly reason: RefusalReason
  readonly message: string
  /** How it is for now, for who is told of the refusal; that it becomes another is no news. */
  readonly detail?: string
}

export interface Event {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type Decision =
  | {
      readonly kind: 'assigned'
      /** In the order of the status. */
      readonly ips: readonly IP[]
      /** Names of the pools they are from, without duplicates. */
      readonly pools: readonly string[]
      /** An address of the other family is still wanted. */
      readonly incomplete: boolean
      readonly events: readonly Event[]
    }
  | {
      /** The pool of what it holds is gone: it stays for a while, in case the pool comes back. */
      readonly kind: 'orphaned'
      readonly ips: readonly IP[]
      /** When that was, in milliseconds. */
      readonly since: number
      readonly refusal: Refusal
      readonly events: readonly Event[]
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly events: readonly Event[] }
