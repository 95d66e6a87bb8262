/**
 * The BGP state machine (RFC 4271 §8.2.2; RFC 6608 for the subcodes of its errors): one event in, the next state and
 * what is to be done out. Pure: the clock and the random source come with the call.
 */
import {
  type BgpError,
  bgpError,
  ceaseReason,
  errorCode,
  familyOf,
  openError,
  type Received,
  stateMachineError,
} from '../codec/index.ts'
import { accept, openSent, refusalsAfter, resolveOpen, settle, stepRival } from './collision.ts'
import { type Agreed, negotiate, ourOpen } from './negotiation.ts'
import {
  connectLimitMs,
  connectWait,
  jitter,
  openLimitMs,
  type PeerSettings,
  refusedWait,
  withoutCapabilities,
} from './settings.ts'
import {
  type Counters,
  countersOf,
  type Effect,
  type Ending,
  type Event,
  type State,
  type Step,
  type Timers,
} from './state.ts'

type In<K extends State['kind']> = Extract<State, { kind: K }>

export function step(state: State, event: Event, now: number, peer: PeerSettings): Step {
  const settings = state.plain ? withoutCapabilities(peer) : peer
  switch (event.kind) {
    case 'accepted':
      return accept(state, event, now, settings)
    case 'rivalMessage':
    case 'rivalEnded':
      return goOn(stepRival(state, event, settings), now, settings)
    default:
      return settle(state, event, stepOne(state, event, now, settings), now)
  }
}

/** The peer's OPEN came on the connection that is now the only one. */
function goOn(step: ReturnType<typeof stepRival>, now: number, settings: PeerSettings): Step {
  if (step.open === undefined || step.state.kind !== 'openSent') return step
  const next = stepOpenSent(step.state, { kind: 'message', message: step.open }, now, settings)
  return { state: next.state, effects: [...step.effects, ...next.effects] }
}

type OwnEvent = Exclude<Event, { kind: 'accepted' | 'rivalMessage' | 'rivalEnded' }>

function stepOne(state: State, event: OwnEvent, now: number, settings: PeerSettings): Step {
  switch (state.kind) {
    case 'idle':
      return stepIdle(state, event, now, settings)
    case 'connect':
      return stepConnect(state, event, now, settings)
    case 'active':
      return stepActive(state, event, now, settings)
    case 'openSent':
      return stepOpenSent(state, event, now, settings)
    case 'openConfirm':
      return stepOpenConfirm(state, event, now, settings)
    default:
      return stepEstablished(state, event, now, settings)
  }
}

function stepIdle(state: In<'idle'>, event: OwnEvent, now: number, settings: PeerSettings): Step {
  const due = event.kind === 'tick' && state.startAt !== undefined && now >= state.startAt
  const begins = event.kind === 'start' && state.startAt === undefined && state.held === undefined
  const released = event.kind === 'release' && state.held === true
  if (due || begins || (released && state.refusals === 0)) return connect(state, now, settings)
  if (released) return stay(idle(now + refusedWait(settings, state.refusals), state))
  if (event.kind === 'stop' || event.kind === 'abandon') return { state: idle(undefined, state), effects: [] }
  // Stopped stays stopped.
  if (event.kind === 'hold' && state.startAt !== undefined) return stay(heldDown(state.refusals))
  return stay(state)
}

function stepConnect(state: In<'connect'>, event: OwnEvent, now: number, settings: PeerSettings): Step {
  switch (event.kind) {
    case 'connected':
      return {
        state: openSent('ours', event, state, now),
        effects: [{ kind: 'send', message: ourOpen(settings, event.routerID, event.restarting) }],
      }
    case 'connectFailed':
    case 'closed': {
      const connects = state.connects + 1
      const retryAt = now + connectWait(settings, connects)
      const message = event.message ?? 'connection closed'
      return {
        state: { kind: 'active', retryAt, ...countersOf(state), connects },
        effects: [ended({ kind: 'connectFailed', message }, false, retryAt)],
      }
    }
    case 'tick': {
      if (now < state.retryAt) return stay(state)
      const again = connect({ ...state, connects: state.connects + 1 }, now, settings)
      const effects: Effect[] = [{ kind: 'disconnect' }, ended({ kind: 'connectTimeout' }, false, now)]
      return { state: again.state, effects: [...effects, ...again.effects] }
    }
    case 'stop':
    case 'abandon':
      return { state: idle(undefined, state), effects: [{ kind: 'disconnect' }] }
    case 'hold':
      return { state: heldDown(state.refusals), effects: [{ kind: 'disconnect' }] }
    default:
      return stay(state)
  }
}

function stepActive(state: In<'active'>, event: OwnEvent, now: number, settings: PeerSettings): Step {
  if (event.kind === 'tick' && state.retryAt !== undefined && now >= state.retryAt) {
    return connect(state, now, settings)
  }
  if (event.kind === 'found' && state.retryAt !== undefined)
    return connect({ ...state, connects: 0 }, now, settings)
  if (event.kind === 'stop' || event.kind === 'abandon') return { state: idle(undefined, state), effects: [] }
  if (event.kind === 'hold') return stay(heldDown(state.refusals))
  return stay(state)
}

function stepOpenSent(state: In<'openSent'>, event: OwnEvent, now: number, settings: PeerSettings): Step {
  if (event.kind === 'tick') {
    if (now < state.openBy) return stay(state)
    return notify(state, bgpError(errorCode.holdTimerExpired, 0), now, settings)
  }
  if (event.kind !== 'message' || event.message.kind !== 'open') {
    return stepBroken(state, event, now, settings, stateMachineError.inOpenSent)
  }
  const answer = negotiate(settings, state.routerID, event.message)
  if (answer.kind === 'refused') return notify(state, answer.error, now, settings, answer.detail)
  const resolved = resolveOpen(state, event.message, settings)
  if (resolved !== undefined) return goOn(resolved, now, settings)
  const { agreed } = answer
  return {
    state: {
      kind: 'openConfirm',
      agreed,
      routerID: state.routerID,
      side: state.side,
      rival: state.rival,
      // Without a hold time the peer's first KEEPALIVE still has to come.
      holdAt: now + (agreed.holdSeconds === 0 ? openLimitMs : agreed.holdSeconds * 1000),
      keepaliveAt: keepaliveAfter(now, agreed, settings),
      ...countersOf(state),
    },
    effects: [{ kind: 'send', message: { kind: 'keepalive' } }],
  }
}

function stepOpenConfirm(
  state: In<'openConfirm'>,
  event: OwnEvent,
  now: number,
  settings: PeerSettings,
): Step {
  if (event.kind === 'tick') return stepTimers(state, now, settings)
  if (event.kind !== 'message' || event.message.kind !== 'keepalive') {
    return stepBroken(state, event, now, settings, stateMachineError.inOpenConfirm)
  }
  const { agreed, keepaliveAt } = state
  return {
    state: {
      kind: 'established',
      agreed,
      since: now,
      holdAt: holdAfter(now, agreed),
      keepaliveAt,
      ...countersOf(state),
    },
    effects: [{ kind: 'up', agreed }],
  }
}

function stepEstablished(
  state: In<'established'>,
  event: OwnEvent,
  now: number,
  settings: PeerSettings,
): Step {
  if (event.kind === 'tick') return stepTimers(state, now, settings)
  if (event.kind !== 'message') return stepBroken(state, event, now, settings, 0)
  const alive: State = { ...state, holdAt: holdAfter(now, state.agreed) }
  const { message } = event
  switch (message.kind) {
    case 'keepalive':
      return stay(alive)
    case 'update':
      return {
        state: alive,
        effects: message.faults.length > 0 ? [{ kind: 'faults', faults: message.faults }] : [],
      }
    case 'routeRefresh': {
      const family = message.subtype === 0 ? familyOf(message.family) : undefined
      const isAgreed = family !== undefined && state.agreed.families.includes(family)
      return { state, effects: isAgreed ? [{ kind: 'refresh', family }] : [] }
    }
    default:
      return stepBroken(state, event, now, settings, stateMachineError.inEstablished)
  }
}

type Connected = In<'openSent' | 'openConfirm' | 'established'>

/** Whatever ends a connection in each of its states alike. */
function stepBroken(
  state: Connected,
  event: Event,
  now: number,
  settings: PeerSettings,
  unexpected: number,
): Step {
  switch (event.kind) {
    case 'stop':
      return leave(state, idle(undefined, state), event.error)
    case 'abandon':
      return {
        state: idle(undefined, state),
        effects: [{ kind: 'disconnect' }, ended({ kind: 'abandoned' }, state.kind === 'established')],
      }
    case 'hold':
      return leave(state, heldDown(refusalsAfter(state, now)), bgpError(errorCode.cease, ceaseReason.bfdDown))
    case 'malformed':
      return notify(state, event.error, now, settings)
    case 'closed':
      return giveUp(state, { ...event, kind: 'closed' }, now, settings, [])
    case 'message':
      return stepUnexpected(state, event.message, now, settings, unexpected)
    default:
      return stay(state)
  }
}

/** A peer that keeps routes after a NOTIFICATION drops them after this one (RFC 8538 §3). */
function hardReset(error: BgpError): BgpError {
  if (error.subcode === ceaseReason.otherConfigurationChange) return error
  return bgpError(
    errorCode.cease,
    ceaseReason.hardReset,
    Uint8Array.of(error.code, error.subcode, ...error.data),
  )
}

/** Ends what there is, and goes where no timer leads out. */
function leave(state: Connected, next: State, reason: BgpError): Step {
  const error = state.kind !== 'openSent' && state.agreed.notificationRestart ? hardReset(reason) : reason
  return {
    state: next,
    effects: [
      { kind: 'send', message: { kind: 'notification', error } },
      { kind: 'disconnect' },
      ended({ kind: 'notificationSent', error }, state.kind === 'established'),
    ],
  }
}

function stepUnexpected(
  state: Connected,
  message: Received,
  now: number,
  settings: PeerSettings,
  subcode: number,
): Step {
  if (message.kind !== 'notification')
    return notify(state, bgpError(errorCode.stateMachine, subcode), now, settings)
  return giveUp(state, { kind: 'notificationReceived', error: message.error }, now, settings, [
    { kind: 'disconnect' },
  ])
}

function stepTimers(state: In<'openConfirm' | 'established'>, now: number, settings: PeerSettings): Step {
  if (state.holdAt !== undefined && now >= state.holdAt) {
    return notify(state, bgpError(errorCode.holdTimerExpired, 0), now, settings)
  }
  if (state.keepaliveAt === undefined || now < state.keepaliveAt) return stay(state)
  return {
    state: { ...state, keepaliveAt: keepaliveAfter(now, state.agreed, settings) },
    effects: [{ kind: 'send', message: { kind: 'keepalive' } }],
  }
}

function notify(
  state: Connected,
  error: BgpError,
  now: number,
  settings: PeerSettings,
  detail?: string,
): Step {
  const ending = { kind: 'notificationSent', error, ...(detail === undefined ? {} : { detail }) } as const
  return giveUp(state, ending, now, settings, [
    { kind: 'send', message: { kind: 'notification', error } },
    { kind: 'disconnect' },
  ])
}

function giveUp(
  state: Connected,
  ending: Ending,
  now: number,
  settings: PeerSettings,
  effects: readonly Effect[],
): Step {
  const refusals = refusalsAfter(state, now)
  const startAt = now + refusedWait(settings, refusals)
  const plain = state.kind !== 'established' && !state.plain && knowsNoCapabilities(ending)
  return {
    state: idle(startAt, { connects: 0, refusals, ...(plain ? { plain } : {}) }),
    effects: [...effects, ended(ending, state.kind === 'established', startAt)],
  }
}

/** RFC 5492 §3: it is to be tried without. */
function knowsNoCapabilities(ending: Ending): boolean {
  if (ending.kind !== 'notificationReceived') return false
  const { code, subcode } = ending.error
  return code === errorCode.open && subcode === openError.unsupportedParameter
}

/** Dials, or waits for the peer to. */
function connect(counters: Counters, now: number, settings: PeerSettings): Step {
  if (settings.passive) return stay({ kind: 'active', retryAt: undefined, ...countersOf(counters) })
  return {
    state: { kind: 'connect', retryAt: now + connectLimitMs, ...countersOf(counters) },
    effects: [{ kind: 'connect' }],
  }
}

function idle(startAt: number | undefined, counters: Counters): State {
  return { kind: 'idle', startAt, ...countersOf(counters) }
}

/** What was damped stays damped, lest BFD that flaps has the routes come and go with it. */
function heldDown(refusals: number): State {
  return { kind: 'idle', startAt: undefined, held: true, connects: 0, refusals }
}

function stay(state: State): Step {
  return { state, effects: [] }
}

function ended(ending: Ending, wasEstablished: boolean, retryAt?: number): Effect {
  return { kind: 'ended', ending, wasEstablished, ...(retryAt === undefined ? {} : { retryAt }) }
}

function holdAfter(now: number, agreed: Agreed): Timers['holdAt'] {
  return agreed.holdSeconds === 0 ? undefined : now + agreed.holdSeconds * 1000
}

function keepaliveAfter(now: number, agreed: Agreed, settings: PeerSettings): Timers['keepaliveAt'] {
  return agreed.keepaliveMs === undefined ? undefined : now + jitter(settings, agreed.keepaliveMs)
}
