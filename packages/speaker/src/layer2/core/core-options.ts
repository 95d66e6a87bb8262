/** What is fixed for the life of a speaker's core. */
import type { Timing } from '../codec/message.ts'
import type { PartitionPolicy } from './fence.ts'

export interface CoreOptions {
  readonly node: string
  /** Random, not 0. */
  readonly incarnation: bigint
  readonly timing: Timing
  readonly partition: PartitionPolicy
  /** undefined: a better-weighted node that joined takes nothing over. */
  readonly preferAfterMs: number | undefined
  /** 0: addresses are spread anew only when asked. */
  readonly rebalanceMs: number
}
