/** Until when a coordinator's own right lasts, by those who follow it and by the partition policy (pure). */
import { majorityUntil, type PartitionPolicy } from './fence.ts'
import type { Membership, Peer } from './membership.ts'

export interface Side {
  readonly self: string
  readonly policy: PartitionPolicy
  readonly membership: Membership
  readonly leaseMs: number
}

/** When the message was sent from whose confirmation the coordinator's right counts, now that `from` was heard. */
export function confirmedBy(side: Side, from: Peer, epoch: number): number {
  if (side.policy === 'serve') return from.confirmedAt
  const listed = [...side.membership.peers.values()].filter((peer) => peer.listed)
  const followers = listed.filter(({ header }) => {
    return header?.hears === true && isOf(header.following, side.self, epoch)
  })
  const name = firstOf([side.self, ...listed.map(({ node }) => node)])
  const follower = followers.find(({ node }) => node === name)?.confirmedAt ?? Number.NEGATIVE_INFINITY
  const first = name === side.self ? Number.POSITIVE_INFINITY : follower
  const confirmed = followers.map(({ confirmedAt }) => confirmedAt)
  const until = majorityUntil(confirmed, listed.length + 1, first, side.leaseMs)
  return Math.min(from.confirmedAt, until - side.leaseMs)
}

/** Whether a member that hears nobody may serve. */
export function isEnoughAlone({ self, policy, membership }: Side): boolean {
  if (policy === 'serve') return true
  const listed = [...membership.peers.values()].filter((peer) => peer.listed).map(({ node }) => node)
  const first = firstOf([self, ...listed]) === self ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  return majorityUntil([], listed.length + 1, first, 0) === Number.POSITIVE_INFINITY
}

function isOf(
  following: { readonly epoch: number; readonly coordinator: string },
  self: string,
  epoch: number,
) {
  return following.coordinator === self && following.epoch === epoch
}

function firstOf(names: readonly string[]): string | undefined {
  return names.toSorted((a, b) => (a < b ? -1 : 1))[0]
}
