/**
 * Connections that the peer dialled, and collisions (RFC 4271 §6.8, RFC 6286 §2.3): of two connections the one stays
 * that the side with the greater identifier dialled. A new connection of an established peer ends the old one only
 * where the peer said that it may restart (RFC 4724 §5).
 */

import type { OpenMessage } from '../codec/index.ts'
import {
  asnOfOpen,
  type BgpError,
  bgpError,
  ceaseReason,
  errorCode,
  stateMachineError,
} from '../codec/index.ts'
import { negotiate, ourOpen } from './negotiation.ts'
import { openLimitMs, type PeerSettings, stableMs } from './settings.ts'
import {
  type Counters,
  countersOf,
  type Effect,
  type Event,
  type Opening,
  type Rival,
  type Side,
  type State,
  type Step,
} from './state.ts'

type In<K extends State['kind']> = Extract<State, { kind: K }>
type Opened = In<'openSent' | 'openConfirm'>
type Connected = In<'openSent' | 'openConfirm' | 'established'>

const collision = bgpError(errorCode.cease, ceaseReason.connectionCollision)
const sayCollision: Effect = { kind: 'send', message: { kind: 'notification', error: collision } }
const rejected = bgpError(errorCode.cease, ceaseReason.connectionRejected)

/** A connection on which our OPEN is sent. */
export function openSent(side: Side, { routerID }: Opening, counters: Counters, now: number): In<'openSent'> {
  return {
    kind: 'openSent',
    openBy: now + openLimitMs,
    routerID,
    side,
    rival: undefined,
    ...countersOf(counters),
    connects: 0,
  }
}

export function accept(state: State, opening: Opening, now: number, settings: PeerSettings): Step {
  const message = ourOpen(settings, opening.routerID, opening.restarting)
  const adopted = (counters: Counters, ...before: readonly Effect[]): Step => ({
    state: openSent('theirs', opening, counters, now),
    effects: [...before, { kind: 'adopt' }, { kind: 'send', message }],
  })
  switch (state.kind) {
    case 'idle':
      return refuse(state, rejected)
    case 'active':
      return adopted(state)
    case 'connect':
      return adopted(state, { kind: 'disconnect' })
    case 'established':
      if (!state.agreed.gracefulRestart) return refuse(state, collision)
      return adopted(
        { ...countersOf(state), refusals: refusalsAfter(state, now) },
        { kind: 'disconnect' },
        { kind: 'ended', ending: { kind: 'closed' }, wasEstablished: true },
      )
    default: {
      if (state.side === 'theirs' || state.rival !== undefined) return refuse(state, collision)
      const rival: Rival = { openBy: now + openLimitMs, routerID: opening.routerID }
      return { state: { ...state, rival }, effects: [{ kind: 'sendRival', message }] }
    }
  }
}

/** Something happened on the connection that waits. `open` goes on with the peer's OPEN on what is now the only one. */
export function stepRival(
  state: State,
  event: Extract<Event, { kind: 'rivalMessage' | 'rivalEnded' }>,
  settings: PeerSettings,
): Step & { readonly open?: OpenMessage } {
  const rival = rivalOf(state)
  if (rival === undefined || !isOpened(state)) return { state, effects: [] }
  const alone: State = { ...state, rival: undefined }
  if (event.kind === 'rivalEnded')
    return event.error ? refuse(alone, event.error) : { state: alone, effects: [] }
  const { message } = event
  if (message.kind === 'notification') return { state: alone, effects: [{ kind: 'dropRival' }] }
  if (message.kind !== 'open') {
    return refuse(alone, bgpError(errorCode.stateMachine, stateMachineError.inOpenSent))
  }
  const answer = negotiate(settings, rival.routerID, message)
  if (answer.kind === 'refused') return refuse(alone, answer.error)
  if (!peerWins(rival.routerID, message, settings)) return refuse(alone, collision)
  return { ...yieldTo(state, rival), open: message }
}

/** The peer's OPEN came on ours: which of the two stays. undefined: there is but one. */
export function resolveOpen(
  state: In<'openSent'>,
  open: OpenMessage,
  settings: PeerSettings,
): (Step & { readonly open?: OpenMessage }) | undefined {
  const { rival } = state
  if (rival === undefined) return undefined
  if (peerWins(state.routerID, open, settings)) return yieldTo(state, rival)
  return { ...refuse({ ...state, rival: undefined }, collision), open }
}

/**
 * What becomes of the one that waits after a step of ours: it takes the place of a connection that broke, and goes
 * when ours is up, was stopped, or its time is over.
 */
export function settle(before: State, event: Event, after: Step, now: number): Step {
  const rival = rivalOf(before)
  const { state } = after
  if (rival === undefined) return after
  if (isOpened(state)) {
    if (state.rival === undefined || event.kind !== 'tick' || now < rival.openBy) return after
    const late = refuse({ ...state, rival: undefined }, bgpError(errorCode.holdTimerExpired, 0))
    return { state: late.state, effects: [...after.effects, ...late.effects] }
  }
  if (state.kind === 'established') {
    return { state, effects: [{ kind: 'refuseRival', error: collision }, ...after.effects] }
  }
  if (state.kind === 'idle' && state.startAt === undefined) {
    return { state, effects: [...after.effects, { kind: 'refuseRival', error: rejected }] }
  }
  if (isCollision(event)) return yieldTo(before, rival, [])
  return { state: waiting(state, rival), effects: [...after.effects, { kind: 'adopt' }] }
}

/** How many in a row when this one is over. */
export function refusalsAfter(state: Connected, now: number): number {
  return state.kind === 'established' && now - state.since >= stableMs ? 0 : state.refusals + 1
}

/** The peer chose between the two. */
function isCollision(event: Event): boolean {
  if (event.kind !== 'message' || event.message.kind !== 'notification') return false
  const { code, subcode } = event.message.error
  return code === collision.code && subcode === collision.subcode
}

/** Ours is closed for the peer's. */
function yieldTo(counters: Counters, rival: Rival, goodbye: readonly Effect[] = [sayCollision]): Step {
  return {
    state: waiting(counters, rival),
    effects: [...goodbye, { kind: 'disconnect' }, { kind: 'adopt' }],
  }
}

function waiting(counters: Counters, { openBy, routerID }: Rival): State {
  return { kind: 'openSent', openBy, routerID, side: 'theirs', rival: undefined, ...countersOf(counters) }
}

function refuse(state: State, error: BgpError): Step {
  return { state, effects: [{ kind: 'refuseRival', error }] }
}

function isOpened(state: State): state is Opened {
  return state.kind === 'openSent' || state.kind === 'openConfirm'
}

function rivalOf(state: State): Rival | undefined {
  return isOpened(state) ? state.rival : undefined
}

function peerWins(ours: number, open: OpenMessage, settings: PeerSettings): boolean {
  return open.routerID === ours ? asnOfOpen(open) > settings.localASN : open.routerID > ours
}
