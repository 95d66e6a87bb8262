/**
 * What one session shall carry: the plan's routes with their path attributes and next hop, as this session's peer
 * must get them (RFC 4271 §5.1). Routes that it cannot carry are named with a reason.
 *
 * LOCAL_PREF goes to internal peers only, and always there: 100, the usual default, unless the route says otherwise.
 */
import { type Family, formatIP, formatPrefix, type Prefix } from '@landfall/netip'
import type { BgpRoute, Community } from '../../plan/bgp-plan.ts'
import { type Attribute, asFieldOf, type NextHop } from '../codec/index.ts'

export interface DesiredRoute {
  readonly prefix: Prefix
  readonly set: AttributeSet
}

/** Routes of one set go into the same UPDATEs. Equal keys mean equal sets. */
export interface AttributeSet {
  readonly key: string
  readonly family: Family
  readonly nextHop: NextHop
  readonly attributes: readonly Attribute[]
}

export type UnsentReason = 'familyNotNegotiated' | 'noNextHop' | 'attributesTooLong'

export interface UnsentRoute {
  readonly prefix: Prefix
  readonly reason: UnsentReason
}

export interface SessionFacts {
  readonly localASN: number
  readonly internal: boolean
  readonly fourOctetAS: boolean
  /** The families the peer takes. */
  readonly families: readonly Family[]
  readonly nextHops: Readonly<Record<Family, NextHop | undefined>>
  /** The node is about to go: peers shall prefer other paths (RFC 8326). */
  readonly draining: boolean
}

export interface DesiredRoutes {
  readonly routes: ReadonlyMap<PrefixKey, DesiredRoute>
  readonly unsent: readonly UnsentRoute[]
}

export const defaultLocalPref = 100
/** A session that lasts sees more than it has at a time. */
const mostSets = 10_000
/** RFC 8326 §5. */
const gracefulShutdown = 0xffff0000

/** A number for IPv4, since maps of those are the quicker ones. */
export type PrefixKey = number | string

export function keyOfPrefix({ ip, length }: Prefix): PrefixKey {
  return ip.family === 4 ? Number(ip.value) * 64 + length : `${ip.value.toString(36)}/${length}`
}

export type Resolve = (route: BgpRoute) => DesiredRoute | UnsentRoute

/** For one state of a session; routes of equal attributes share a set. */
export function resolver(facts: SessionFacts): Resolve {
  const sets = new Map<string, AttributeSet>()
  const drained = facts.draining ? 'draining' : ''
  const hops = { 4: keyOfHop(facts.nextHops[4]), 6: keyOfHop(facts.nextHops[6]) }
  return (route) => {
    const { prefix } = route
    const { family } = prefix.ip
    const nextHop = facts.nextHops[family]
    if (!facts.families.includes(family)) return { prefix, reason: 'familyNotNegotiated' }
    if (nextHop === undefined) return { prefix, reason: 'noNextHop' }
    const key = `${family}|${hops[family]}|${drained}|${keyOfWishes(route)}`
    let set = sets.get(key)
    if (set === undefined) {
      if (sets.size >= mostSets) sets.clear()
      sets.set(key, (set = { key, family, nextHop, attributes: attributesOf(route, facts) }))
    }
    return { prefix, set }
  }
}

export function resolveRoutes(
  routes: Iterable<BgpRoute>,
  facts: SessionFacts,
  resolve: Resolve = resolver(facts),
): DesiredRoutes {
  const desired = new Map<PrefixKey, DesiredRoute>()
  const unsent: UnsentRoute[] = []
  for (const route of routes) {
    const resolved = resolve(route)
    if ('set' in resolved) desired.set(keyOfPrefix(route.prefix), resolved)
    else unsent.push(resolved)
  }
  return { routes: desired, unsent }
}

/** Equal for equal facts. */
export function keyOfFacts(facts: SessionFacts): string {
  const { localASN, internal, fourOctetAS, families, nextHops, draining } = facts
  const hops = [keyOfHop(nextHops[4]), keyOfHop(nextHops[6])]
  return [localASN, internal, fourOctetAS, families.join('+'), ...hops, draining].join('|')
}

/** `192.0.2.0/32 noNextHop` */
export function describeUnsent({ prefix, reason }: UnsentRoute): string {
  return `${formatPrefix(prefix)} ${reason}`
}

function attributesOf(route: BgpRoute, facts: SessionFacts): readonly Attribute[] {
  const attributes: Attribute[] = [{ kind: 'origin', origin: 'igp' }, ...pathOf(route, facts)]
  if (route.med !== undefined) attributes.push({ kind: 'med', value: route.med })
  if (facts.internal) attributes.push({ kind: 'localPref', value: route.localPref ?? defaultLocalPref })
  const standard = route.communities.flatMap((one) =>
    one.kind === 'standard' ? [one.high * 0x10000 + one.low] : [],
  )
  if (standard.length > 0) attributes.push({ kind: 'communities', values: standard })
  if (route.bandwidth !== undefined) {
    attributes.push({ kind: 'extendedCommunities', values: [linkBandwidth(route.bandwidth, facts)] })
  }
  const large = route.communities.flatMap((one) =>
    one.kind === 'large' ? [{ global: one.global, local1: one.local1, local2: one.local2 }] : [],
  )
  if (large.length > 0) attributes.push({ kind: 'largeCommunities', values: large })
  return facts.draining ? drained(attributes) : attributes
}

/** The same, about to go (RFC 8326): any other path is better. */
export function drainedSet({ key, family, nextHop, attributes }: AttributeSet): AttributeSet {
  return { key: `${key}|drained`, family, nextHop, attributes: drained(attributes) }
}

function drained(attributes: readonly Attribute[]): readonly Attribute[] {
  const communities = attributes.flatMap((one) => (one.kind === 'communities' ? one.values : []))
  const values = [...new Set([...communities, gracefulShutdown])]
  return [
    ...attributes
      .filter(({ kind }) => kind !== 'communities')
      .map((one): Attribute => (one.kind === 'localPref' ? { kind: 'localPref', value: 0 } : one)),
    { kind: 'communities', values },
  ]
}

/** draft-ietf-idr-link-bandwidth: non-transitive, two-octet AS, bytes a second as a float. */
function linkBandwidth(bytesPerSecond: number, { localASN }: SessionFacts): bigint {
  const float = new DataView(new ArrayBuffer(4))
  float.setFloat32(0, bytesPerSecond)
  return (0x4004n << 48n) | (BigInt(asFieldOf(localASN)) << 32n) | BigInt(float.getUint32(0))
}

/** An AS number above 65535 travels in AS4_PATH where the peer reads two octets only (RFC 6793 §4.2.2). */
function pathOf({ prepend = 0 }: BgpRoute, facts: SessionFacts): readonly Attribute[] {
  if (facts.internal) return [{ kind: 'asPath', segments: [] }]
  const asns = Array.from({ length: 1 + prepend }, () => facts.localASN)
  const segments = [{ kind: 'sequence', asns }] as const
  const hidden = !facts.fourOctetAS && facts.localASN > 0xffff
  return [{ kind: 'asPath', segments }, ...(hidden ? [{ kind: 'as4Path', segments } as const] : [])]
}

function keyOfHop(hop: NextHop | undefined): string {
  return [hop?.address, hop?.linkLocal].map((ip) => (ip ? formatIP(ip) : '')).join()
}

function keyOfWishes({ localPref, med, prepend, bandwidth, communities }: BgpRoute): string {
  const numbers = `${localPref ?? ''}|${med ?? ''}|${prepend ?? ''}|${bandwidth ?? ''}`
  return `${numbers}|${communities.length === 0 ? '' : communities.map(keyOfCommunity).join(' ')}`
}

function keyOfCommunity(community: Community): string {
  return community.kind === 'standard'
    ? `${community.high}:${community.low}`
    : `${community.global}:${community.local1}:${community.local2}`
}
