/**
 * How virtual hosts become resources. `scoped`: a scope each, for an Envoy that follows delta ADS and is new enough.
 * The others have the shape and the names of Contour's configuration, for an Envoy that still runs on Contour's
 * bootstrap, or is older: one table of routes for all plain hosts, a filter chain and a table for each secure one.
 * There a change costs as much as there are hosts.
 */
import type { Source } from './message.ts'

/** `classic` refers to the aggregated stream, `classic-streams` to a stream of its own for each thing. */
export type Layout = 'scoped' | 'classic' | 'classic-streams'

export function sourceOf(layout: Layout): Source {
  return layout === 'classic-streams' ? 'streams' : 'ads'
}
