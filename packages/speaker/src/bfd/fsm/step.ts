/**
 * The BFD state machine (RFC 5880 §6.8), asynchronous mode with poll sequences and the echo function: one event in,
 * the next state and what is to be done out. Pure. Demand mode is not offered, and honoured when the peer asks.
 *
 * A session that went from up to down holds the routing protocol down until it is up again, the peer says that it
 * was shut on purpose, or no BFD has come for 3 s: the peer may speak none any more (RFC 5882 §3.2, §4.2). It does not where
 * the peer restarts gracefully, until BFD was there again.
 */
import { type ControlPacket, diagnostic, type SessionState } from '../codec/index.ts'
import { type BfdSettings, type Event, holdMs, type State, type Step, slowMs } from './state.ts'
import {
  detectAt,
  detectionMs,
  drawJitter,
  echoAt,
  echoDetectAt,
  echoesToLose,
  echoMs,
  sendAt,
} from './timers.ts'

export function step(state: State, event: Event, now: number, settings: BfdSettings): Step {
  if (state.kind === 'adminDown') return { state, effects: [] }
  switch (event.kind) {
    case 'packet':
      return receive(state, event.packet, now, settings)
    case 'echo':
      return { state: { ...state, echoHeardAt: now, echoesOut: [] }, effects: [] }
    case 'tick':
      return tick(state, now, settings)
    case 'configured':
      return configure(state, now, settings)
    case 'restarting':
      return outcome(state, { ...state, heldUntil: undefined, doubtedAt: now }, now, settings)
    default: {
      const down = leave(state, 'adminDown', diagnostic.administrativelyDown, settings)
      return transmit({ ...down, heldUntil: undefined }, now, settings, ['changed'])
    }
  }
}

function receive(state: State, packet: ControlPacket, now: number, settings: BfdSettings): Step {
  const heard: State = {
    ...state,
    heardAt: now,
    remote: {
      state: packet.state,
      discriminator: packet.myDiscriminator,
      transmitMs: packet.desiredTransmitMs,
      receiveMs: packet.requiredReceiveMs,
      echoMs: packet.requiredEchoMs,
      multiplier: packet.multiplier,
      demand: packet.demand,
    },
    heldUntil: state.heldUntil === undefined ? undefined : now + holdMs,
  }
  const moved = move(packet.final ? confirm(heard) : heard, packet.state, now, settings)
  const echoing = echoMs(moved, settings) !== undefined && echoMs(state, settings) === undefined
  const next = echoing ? { ...moved, echoSentAt: now, echoHeardAt: now, echoesOut: [] } : moved
  if (packet.poll) return answer(state, next, now, settings)
  return outcome(state, next, now, settings)
}

/** §6.8.6, the transitions. */
function move(state: State, remote: SessionState, now: number, settings: BfdSettings): State {
  if (remote === 'adminDown') {
    const down =
      state.kind === 'down' ? state : leave(state, 'down', diagnostic.neighborSignaledDown, settings)
    return { ...down, heldUntil: undefined }
  }
  switch (state.kind) {
    case 'down':
      if (remote === 'down') return { ...state, kind: 'init' }
      return remote === 'init' ? rise(state, settings) : state
    case 'init':
      return remote === 'down' ? state : rise(state, settings)
    default:
      if (remote === 'down') return fall(state, diagnostic.neighborSignaledDown, now, settings)
      return due(outlivedAt(state), now) ? { ...state, doubtedAt: undefined } : state
  }
}

function tick(state: State, now: number, settings: BfdSettings): Step {
  let next = state
  if (due(detectAt(next), now)) {
    // Silence for a detection time: the peer's discriminator is forgotten in any state (§6.8.1).
    const alive = next.kind === 'up' || next.kind === 'init'
    const down = alive ? fall(next, diagnostic.detectionTimeExpired, now, settings) : next
    next = { ...down, remote: undefined }
  } else if (due(echoDetectAt(next, settings), now)) {
    next = fall(next, diagnostic.echoFailed, now, settings)
  }
  if (due(next.heldUntil, now)) next = { ...next, heldUntil: undefined }
  if (next.kind === state.kind && due(echoAt(next, settings), now)) {
    const echoesOut = [...next.echoesOut, now].slice(0, echoesToLose(settings))
    const { state: after, effects } = outcome(state, { ...next, echoSentAt: now, echoesOut }, now, settings)
    return { state: after, effects: [...effects, { kind: 'sendEcho' }] }
  }
  return outcome(state, next, now, settings)
}

function configure(state: State, now: number, settings: BfdSettings): Step {
  if (state.kind !== 'up') {
    const transmitMs = Math.max(slowMs, settings.transmitMs)
    const intervals = { transmit: both(transmitMs), receive: both(settings.receiveMs) }
    return { state: { ...state, ...intervals }, effects: [] }
  }
  const { transmit: tx, receive: rx } = state
  if (tx.said === settings.transmitMs && rx.said === settings.receiveMs) return { state, effects: [] }
  const next: State = {
    ...state,
    polling: true,
    // Slower sending and quicker detection wait for the peer.
    transmit: { said: settings.transmitMs, used: Math.min(tx.used, settings.transmitMs) },
    receive: { said: settings.receiveMs, used: Math.max(rx.used, settings.receiveMs) },
  }
  return transmit(next, now, settings, [])
}

/** A packet leaves when its time has come, and at once when the state changed (§6.8.7). */
function outcome(before: State, after: State, now: number, settings: BfdSettings): Step {
  const changes = changed(before, after)
  const mayTalk = sendAt(after, settings) !== undefined
  const moved = before.kind !== after.kind && mayTalk
  if (moved || due(sendAt(after, settings), now)) return transmit(after, now, settings, changes)
  return { state: after, effects: changes.map((kind) => ({ kind })) }
}

/** A poll is answered at once, whatever the intervals say, with F and without P. */
function answer(before: State, after: State, now: number, settings: BfdSettings): Step {
  const packet: ControlPacket = { ...packetOf(after, settings), poll: false, final: true }
  const rest = changed(before, after)
  const state = before.kind === after.kind ? after : { ...after, sentAt: now, jitter: drawJitter(settings) }
  return { state, effects: [{ kind: 'send', packet }, ...rest.map((kind) => ({ kind }))] }
}

function transmit(state: State, now: number, settings: BfdSettings, also: readonly 'changed'[]): Step {
  return {
    state: { ...state, sentAt: now, jitter: drawJitter(settings) },
    effects: [{ kind: 'send', packet: packetOf(state, settings) }, ...also.map((kind) => ({ kind }))],
  }
}

function changed(before: State, after: State): readonly 'changed'[] {
  const same =
    before.kind === after.kind &&
    before.diagnostic === after.diagnostic &&
    (before.heldUntil === undefined) === (after.heldUntil === undefined)
  return same ? [] : ['changed']
}

function packetOf(state: State, settings: BfdSettings): ControlPacket {
  return {
    state: state.kind,
    diagnostic: state.diagnostic,
    poll: state.polling,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    multiplier: settings.multiplier,
    myDiscriminator: settings.discriminator,
    yourDiscriminator: state.remote?.discriminator ?? 0,
    desiredTransmitMs: state.transmit.said,
    requiredReceiveMs: state.receive.said,
    requiredEchoMs: settings.echoMs ?? 0,
  }
}

/** Up: from the slow interval to the configured one, which the peer confirms. */
function rise(state: State, settings: BfdSettings): State {
  const { transmitMs } = settings
  return {
    ...state,
    kind: 'up',
    diagnostic: diagnostic.none,
    transmit: { said: transmitMs, used: Math.min(state.transmit.used, transmitMs) },
    polling: state.transmit.said !== transmitMs,
    heldUntil: undefined,
    doubtedAt: undefined,
  }
}

/** BFD that is heard from then on did not end with the peer's routing protocol. */
function outlivedAt(state: State): number | undefined {
  return state.doubtedAt === undefined ? undefined : state.doubtedAt + (detectionMs(state) ?? 0)
}

function fall(state: State, why: number, now: number, settings: BfdSettings): State {
  const holds = state.kind === 'up' && state.doubtedAt === undefined
  const heldUntil = holds ? now + holdMs : state.heldUntil
  return { ...leave(state, 'down', why, settings), heldUntil }
}

function leave(state: State, kind: SessionState, why: number, settings: BfdSettings): State {
  const slow = both(Math.max(slowMs, settings.transmitMs))
  return {
    ...state,
    kind,
    diagnostic: why,
    transmit: slow,
    receive: both(settings.receiveMs),
    polling: false,
  }
}

function confirm(state: State): State {
  if (!state.polling) return state
  return { ...state, polling: false, transmit: both(state.transmit.said), receive: both(state.receive.said) }
}

function both(ms: number): State['transmit'] {
  return { said: ms, used: ms }
}

function due(at: number | undefined, now: number): boolean {
  return at !== undefined && now >= at
}
