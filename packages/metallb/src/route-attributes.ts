/**
 * What the annotations of a Service ask for beyond its advertisements: communities, MED and a longer AS path of its own
 * routes. What one of them says wrong counts as not written, and is named; the others hold.
 */
import { type Aliases, formatCommunity, parseCommunity } from './communities.ts'
import type { BGPCommunity } from './config.ts'

/** `65000:100, large:65000:1:2, alias`: added to those of the advertisements. */
export const communitiesAnnotation = 'metallb.io/bgp-communities'
/** MULTI_EXIT_DISC, 0 to 4294967295. */
export const medAnnotation = 'metallb.io/bgp-med'
/** How often our AS number stands in the path beyond once, 1 to 16; external sessions only. */
export const prependAnnotation = 'metallb.io/bgp-as-path-prepend'

export interface RouteAttributes {
  readonly communities: readonly BGPCommunity[]
  readonly med: number | undefined
  readonly prepend: number | undefined
  /** One a wrong annotation, for people. */
  readonly problems: readonly string[]
}

const names = [communitiesAnnotation, medAnnotation, prependAnnotation]
const none: RouteAttributes = { communities: [], med: undefined, prepend: undefined, problems: [] }
const mostCommunities = 63
const mostPrepends = 16

type Annotations = Readonly<Record<string, string>>

export function asksForAttributes(annotations: Annotations): boolean {
  return names.some((name) => annotations[name] !== undefined)
}

export function readRouteAttributes(annotations: Annotations, aliases: Aliases | undefined): RouteAttributes {
  if (!asksForAttributes(annotations)) return none
  const problems: string[] = []
  const whole = (name: string, least: number, most: number): number | undefined => {
    const text = annotations[name]
    if (text === undefined) return undefined
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
    if (value >= least && value <= most) return value
    problems.push(`${name}: ${JSON.stringify(text)} is no number from ${least} to ${most}`)
    return undefined
  }
  return {
    communities: readCommunities(annotations[communitiesAnnotation], aliases, problems),
    med: whole(medAnnotation, 0, 0xffffffff),
    prepend: whole(prependAnnotation, 1, mostPrepends),
    problems,
  }
}

/** All or none: half of what somebody marks routes with may be worse than nothing. */
function readCommunities(
  text: string | undefined,
  aliases: Aliases | undefined,
  problems: string[],
): readonly BGPCommunity[] {
  if (text === undefined) return []
  const read = new Map<string, BGPCommunity>()
  const unknown: string[] = []
  for (const written of text.split(',').map((one) => one.trim())) {
    const community = aliases?.get(written) ?? parseCommunity(written)
    if (community === undefined) unknown.push(JSON.stringify(written))
    else read.set(formatCommunity(community), community)
  }
  if (unknown.length > 0) {
    const what = 'no community, nor an alias that a Community object defines'
    problems.push(`${communitiesAnnotation}: ${unknown.join(', ')}: ${what}`)
    return []
  }
  if (read.size <= mostCommunities) return [...read.values()]
  problems.push(`${communitiesAnnotation}: more than ${mostCommunities} communities`)
  return []
}
