export { type BuiltConfig, buildConfig, type MetallbObjects } from './build-config.ts'
export { formatCommunity, parseCommunity } from './communities.ts'
export type * from './config.ts'

export { type Allocation, allocatedFromPool, heldPool, isUnread } from './held-pool.ts'
export { besideRefusedPools, configKey, type Source, sourceOf } from './legacy/source.ts'
export { LegacyOnDemand } from './legacy-on-demand.ts'
export { mayUse, poolNamed, poolOf, usableRanges, usableWithin } from './pool-of.ts'
export type { Refusal, RefusalReason } from './refusal.ts'
export {
  asksForAttributes,
  communitiesAnnotation,
  medAnnotation,
  prependAnnotation,
  type RouteAttributes,
  readRouteAttributes,
} from './route-attributes.ts'
export { matchesAny, matchesSelector } from './selectors.ts'
export { findWarnings, type Warning, type WarningReason } from './warnings.ts'
