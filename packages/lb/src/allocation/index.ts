/** The allocator: pure, for whoever wants decisions, or how full a pool is, without a cluster. */
export { Allocator, type Batch, type Decided } from './allocator.ts'
export type { RefusalReason } from './outcome.ts'
export type { BalancedService } from './request.ts'
export { countedUsage, fullnessOf, type PoolUsage } from './usage.ts'
