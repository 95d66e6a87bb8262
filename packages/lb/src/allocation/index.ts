/** The allocator: pure, for whoever wants decisions without a cluster. */
export { Allocator, type Batch, type Decided } from './allocator.ts'
export type { BalancedService } from './request.ts'
