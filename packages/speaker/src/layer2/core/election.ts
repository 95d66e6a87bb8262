/**
 * Who coordinates, and who watches whom (pure). The coordinator is the first live member by name, of those that have an
 * API server, if any has: it knows what is desired. One that coordinates, and is not heard here, counts as live while
 * someone who is heard hears it: then it is a path that is broken, not a member, and nobody takes its place. So it does,
 * for its detection time, when others have it from others that somebody heard it: such a word ages on its way, and ends,
 * however it goes round.
 *
 * So that heartbeats stay cheap in a large cluster, all beat to the first few by name, the hubs; these beat to each
 * other and answer the rest. Up to `meshSize` members all are hubs. A member that is not led beats to everyone. So does
 * one that misses an answer of each hub: should all be dead at once, the rest know of each other by the time it is sure.
 */
import type { Membership, Peer } from './membership.ts'

export const hubs = 3
export const meshSize = 10

export interface Self {
  readonly node: string
  /** Listens still, and coordinates nothing. */
  readonly joining: boolean
  /** Has no API server. */
  readonly blind: boolean
}

/** Who is to coordinate, as far as is known here. */
export interface First {
  readonly node: string
  readonly blind: boolean
  /** When somebody heard it last. */
  readonly heardAt: number
}

/** undefined: nobody. */
export function firstLive(self: Self, membership: Membership, now: number): First | undefined {
  let first: First | undefined = self.joining ? undefined : { ...self, heardAt: now }
  const consider = (one: First): void => {
    if (first === undefined || comesBefore(one, first)) first = one
  }
  for (const peer of membership.peers.values()) {
    const { node, header, heardAt } = peer
    if (header === undefined || !membership.alive(node, now)) continue
    if (header.state !== 'joining') consider({ node, blind: header.blind, heardAt })
    const word = wordOf(peer, self.node, membership, now)
    if (word !== undefined && now < word.until) consider(word)
  }
  return first
}

/** When the next living peer would be dead, or a word on one that is not heard here too old, if nothing more is heard. */
export function nextExpiry(self: string, membership: Membership, now: number): number {
  let next = membership.nextExpiry(now)
  for (const peer of membership.peers.values()) {
    const { until } = wordOf(peer, self, membership, now) ?? { until: now }
    if (until > now) next = Math.min(next, until)
  }
  return next
}

/** What the peer tells of one that coordinates, unless more is known of that one here. */
function wordOf(
  { node, header, heardAt, deadlines }: Peer,
  self: string,
  membership: Membership,
  now: number,
): (First & { readonly until: number }) | undefined {
  const told = header?.first
  if (told === undefined || told.node === self || !membership.alive(node, now)) return undefined
  const toldAt = heardAt - told.heardMs
  const known = membership.peers.get(told.node)
  const detectMs = Math.max(deadlines.detectMs, known?.deadlines.detectMs ?? 0)
  const isFirstHand = header?.hears === true && header.following.coordinator === told.node
  if (known?.header !== undefined) {
    const { state } = known.header
    if (state === 'left' && now < known.heardAt + detectMs) return undefined
    // By its own word joining still: whoever follows it has heard more of it.
    const isOutdated = state === 'joining' && isFirstHand
    if (!isOutdated && membership.alive(told.node, now)) return undefined
  }
  // Who hears it itself will say when it does not.
  const until = isFirstHand ? Number.POSITIVE_INFINITY : toldAt + detectMs
  return { node: told.node, blind: told.blind, heardAt: toldAt, until }
}

function comesBefore(one: First, other: First): boolean {
  if (one.blind !== other.blind) return other.blind
  return one.node === other.node ? one.heardAt > other.heardAt : one.node < other.node
}

export function isMesh(membership: Membership): boolean {
  return membership.peers.size < meshSize
}

/** The hubs that are alive, this one among them if it is one. */
export function liveHubs(self: string, membership: Membership, now: number): ReadonlySet<string> {
  const live = [...membership.peers.keys()].filter((node) => membership.alive(node, now))
  const all = [...live, self].toSorted((a, b) => (a < b ? -1 : 1))
  return new Set(isMesh(membership) ? all : all.slice(0, hubs))
}

/** Whom to beat to in this interval. `led`: a coordinator confirms our heartbeats. */
export function beatTargets(
  self: string,
  membership: Membership,
  led: boolean,
  now: number,
): readonly string[] {
  const watching = liveHubs(self, membership, now)
  const others = [...membership.peers.values()]
  if (!led || isMesh(membership)) return others.map(({ node }) => node)
  const isSilent = ({ heardAt, deadlines }: Peer): boolean => now - heardAt > deadlines.intervalMs * 1.5
  // A member that is late itself has not asked meanwhile.
  const answers = (hub: Peer): boolean => !isSilent(hub) || hub.heardAt >= hub.sentAt
  const hearsHub = others.some((peer) => watching.has(peer.node) && answers(peer))
  if (!watching.has(self) && hearsHub) return [...watching]
  // The rest beat to the hubs by themselves; those that do not are looked for.
  return others
    .filter((peer) => watching.has(peer.node) || isSilent(peer) || !membership.alive(peer.node, now))
    .map(({ node }) => node)
}
