/** The ConfigMap of MetalLB up to v0.12: as a configuration, and as the metallb.io objects that say the same. */
export { buildLegacy, type LegacyBuild } from './build-legacy.ts'
export { LegacyConfig, type LegacyConfigured } from './legacy-config.ts'
export { type Made, sourceField } from './made.ts'
export { type Migration, migrate } from './migrate.ts'
export { type LegacyObjects, readLegacy } from './read-legacy.ts'
