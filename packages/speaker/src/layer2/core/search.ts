/**
 * Which lost peers this host asks for, by ARP or NDP, with a beat (pure). A kernel that asks in vain asks again after a
 * second only, so that a path which is back would be used late. Each is asked for every few beats, and few with one beat.
 */
import { liveHubs } from './election.ts'
import type { Membership, Peer } from './membership.ts'

const askedPerBeat = 3
const beatsBetween = 3

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
    const lost = this.#lost(now)
    const turns = Math.max(beatsBetween, Math.ceil(lost.length / askedPerBeat))
    return lost.filter((_, i) => i % turns === this.#beat % turns)
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
