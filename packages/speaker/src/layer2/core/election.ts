/**
 * Who coordinates, and who watches whom (pure). The coordinator is the first live member by name, of those that have an
 * API server, if any has: it knows what is desired. A member that is
 * not heard counts as live while someone who is heard hears it: then it is a path that is broken, not a member, and
 * nobody takes its place.
 *
 * So that heartbeats stay cheap in a large cluster, all beat to the first few by name, the hubs; these beat to each
 * other and answer the rest. Up to `meshSize` members all are hubs. A member that is not led beats to everyone.
 */
import type { Membership } from './membership.ts'

const hubs = 3
const meshSize = 10

export interface Self {
  readonly node: string
  /** Listens still, and coordinates nothing. */
  readonly joining: boolean
  /** Has no API server. */
  readonly blind: boolean
}

/** undefined: nobody. */
export function firstLive(self: Self, membership: Membership, now: number): string | undefined {
  let first: Self | undefined = self.joining ? undefined : self
  const consider = (node: string): void => {
    const blind = membership.peers.get(node)?.header?.blind === true
    if (first === undefined || (blind === first.blind ? node < first.node : first.blind))
      first = { node, joining: false, blind }
  }
  for (const { node, header } of membership.peers.values()) {
    if (header === undefined || !membership.alive(node, now)) continue
    if (header.state !== 'joining') consider(node)
    const { coordinator } = header.following
    if (!header.hears || coordinator === '' || coordinator === self.node) continue
    const known = membership.peers.get(coordinator)?.header
    if (known?.state === 'left') continue
    // By its own word joining still: whoever follows it has heard more of it.
    if (known?.state === 'joining' || !membership.alive(coordinator, now)) consider(coordinator)
  }
  return first?.node
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
  if (!watching.has(self)) return [...watching]
  // The rest beat to the hubs by themselves; those that do not are looked for.
  return others
    .filter(
      ({ node, heardAt, deadlines }) => watching.has(node) || now - heardAt > deadlines.intervalMs * 1.5,
    )
    .map(({ node }) => node)
}
