/** The header of a message to another member: what this one is, has heard, holds, and lets the other do (pure). */
import { type Header, notKnown } from '../codec/message.ts'
import type { Allegiance } from './allegiance.ts'
import type { CoreOptions } from './core-options.ts'
import type { Fence } from './fence.ts'
import type { Leadership, Own } from './leadership.ts'
import type { Membership } from './membership.ts'

/** What of this member goes into headers. */
export interface Standing {
  readonly options: CoreOptions
  readonly membership: Membership
  readonly allegiance: Allegiance
  readonly leadership: Leadership
  readonly fence: Fence
  readonly held: bigint
  readonly own: Own
  readonly orderAck: number
  readonly rebalance: boolean
}

export function ownOf(node: string, allegiance: Allegiance, fence: Fence): Own {
  return {
    node,
    following: allegiance.following,
    leaving: allegiance.state === 'leaving',
    departing: allegiance.state === 'left',
    suspended: fence.suspended,
    blind: allegiance.blind,
    backing: allegiance.backing,
    wasSettled: allegiance.wasSettled,
  }
}

/** To be called once for each message that is sent. `echo`: of a life of its that is not believed yet. */
export function headerTo(
  node: string,
  standing: Standing,
  { wantsReply, echo }: { readonly wantsReply: boolean; readonly echo: bigint | undefined },
  now: number,
): Header {
  const { options, membership, allegiance, leadership, fence, own } = standing
  const grantMs = grantTo(node, standing, now)
  if (grantMs > 0) leadership.grants(node)
  return {
    ...membership.identify(node, now, echo),
    state: allegiance.state,
    wantsReply,
    timing: options.timing,
    fencing: options.partition === 'fence',
    following: allegiance.following,
    hears: allegiance.hearsCoordinator(now),
    first: allegiance.coordinating(now),
    suspended: fence.suspended,
    settled: allegiance.leads && leadership.isSettled(own, now),
    rebalance: standing.rebalance,
    blind: allegiance.blind,
    backing: allegiance.backing,
    held: standing.held,
    known: allegiance.leads ? leadership.vouchFor(node, own, now) : notKnown,
    grantMs,
    orderAck: standing.orderAck,
  }
}

function grantTo(node: string, { options, membership, allegiance, fence }: Standing, now: number): number {
  return allegiance.leads && membership.alive(node, now) ? fence.grantMs(options.partition, now) : 0
}
