/**
 * How virtual hosts become resources. `scoped`: a scope each, for an Envoy that follows delta ADS and is new enough.
 * The others have the shape and the names of Contour's configuration, for an Envoy that still runs on Contour's
 * bootstrap, or is older: one table of routes for all plain hosts, a filter chain and a table for each secure one.
 * There a change costs as much as there are hosts.
 */
import type { Node } from './session/client.ts'
import type { Way } from './stream.ts'

/** `classic` refers to the aggregated stream, `classic-streams` to a stream of its own for each thing. */
export type Layout = 'scoped' | 'classic' | 'classic-streams'

export const layouts: readonly Layout[] = ['scoped', 'classic', 'classic-streams']

interface Release {
  readonly major: number
  readonly minor: number
}

/** Scopes with their routes inline. */
export const scopedSince: Release = { major: 1, minor: 33 }

/** Certificates that are fetched at the handshake, beside that. */
export const onDemandSince: Release = { major: 1, minor: 37 }

/** An Envoy that does not say how old it is counts as new. @param since what the scoped layout needs */
export function layoutFor({ build }: Node, { variant, only }: Way, since = scopedSince): Layout {
  if (only !== undefined) return 'classic-streams'
  if (variant === 'full') return 'classic'
  const [major = since.major, minor = since.minor] = build === '' ? [] : build.split('.').map(Number)
  const isOld = major < since.major || (major === since.major && minor < since.minor)
  return isOld ? 'classic' : 'scoped'
}
