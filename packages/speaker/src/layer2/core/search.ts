/**
 * Which lost peers this host asks for, by ARP or NDP, with a beat (pure). A kernel that asks in vain asks again after a
 * second only, so that a path which is back would be used late. Each is asked for every few beats, and few with one beat;
 * less often the longer it has been silent, as nodes may be switched off for good.
 */
import { liveHubs } from './election.ts'
import type { Membership, Peer } from './membership.ts'

/** Of those silent for less than this: how many beats lie between two questions for one, and how many go with a beat. */
const paces = [
  { untilMs: 60_000, beats: 3, most: 3 },
  { untilMs: 600_000, beats: 10, most: 1 },
  { untilMs: Number.POSITIVE_INFINITY, beats: 100, most: 1 },
]

export class Search {
  readonly #self: string
  readonly #membership: Membership
  #beat = 0

  constructor(self: string, membership: Membership) {
    this.#self = self
    this.#membership = membership
  }

  next(now: number): readonly Peer[] {
    this.#beat++
    const lost = Map.groupBy(this.#lost(now), ({ heardAt }) =>
      paces.find(({ untilMs }) => now - heardAt < untilMs),
    )
    return paces.flatMap((pace) => {
      const some = lost.get(pace) ?? []
      const turns = Math.max(pace.beats, Math.ceil(some.length / pace.most))
      return some.filter((_, i) => i % turns === this.#beat % turns)
    })
  }

  /** Of those that are beaten to; not those that said goodbye, or never spoke. */
  #lost(now: number): readonly Peer[] {
    if (!liveHubs(this.#self, this.#membership, now).has(this.#self)) return []
    return [...this.#membership.peers.values()].filter(({ node, listed, header }) => {
      const spoke = header !== undefined && header.state !== 'left'
      return listed && spoke && !this.#membership.alive(node, now)
    })
  }
}
