/** The time in which one member coordinates, and what it inherits (types). */
import type { Following } from '../codec/message.ts'

/** How this member came to coordinate, which says what rights may still be out. */
export type Predecessor =
  /** It was silent for its detection time. */
  | { readonly kind: 'dead'; readonly node: string }
  /** It lives, and has yet to follow, or said goodbye. `epoch`: of its reign, unless another coordinated beside it. */
  | { readonly kind: 'alive'; readonly node: string; readonly epoch: number | undefined }
  /** Nobody is known; rights given before may last until then. */
  | { readonly kind: 'none'; readonly rightsUntil: number }

/** What one that coordinated said in the end, and whom it followed then: itself when it said goodbye. */
export interface Testament {
  readonly node: string
  readonly following: Following
  readonly holders: readonly bigint[]
}

export interface Reign {
  readonly predecessor: Predecessor
  /** Whose testament counts, and the epoch that it is of. */
  readonly testator: { readonly node: string; readonly epoch: number } | undefined
  readonly since: number
  /** Until then the predecessor itself may still decide something. */
  readonly sharedUntil: number
  /** Until then an address may have a holder that nobody here has heard of. */
  quietUntil: number
  /** The predecessor said so, or all whom it named are heard: there is no such holder. */
  whole: boolean
  /** By node: when the message arrived that our last grant to it confirmed. */
  readonly granted: Map<string, number>
  /** Who has followed since. */
  readonly followers: Set<string>
}
