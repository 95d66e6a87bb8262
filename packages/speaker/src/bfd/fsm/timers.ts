/** The deadlines of a session, as functions of its state (RFC 5880 §6.8.2 to §6.8.4, §6.8.7 to §6.8.9). */
import type { BfdSettings, State } from './state.ts'

/** How long the peer may be silent; undefined: it was not heard of, or promised silence. */
export function detectionMs({ remote, receive }: State): number | undefined {
  if (remote === undefined) return undefined
  return remote.multiplier * Math.max(receive.used, remote.transmitMs)
}

export function detectAt(state: State): number | undefined {
  const ms = detectionMs(state)
  return ms === undefined ? undefined : state.heardAt + ms
}

/** When the next periodic packet is due; undefined while none may be sent. */
export function sendAt(state: State, settings: BfdSettings): number | undefined {
  const { remote, transmit, kind, polling } = state
  if (kind === 'adminDown' || (settings.passive && remote === undefined)) return undefined
  if (remote?.receiveMs === 0) return undefined
  const quiet = remote?.demand === true && remote.state === 'up' && kind === 'up'
  if (quiet && !polling) return undefined
  return state.sentAt + Math.max(transmit.used, remote?.receiveMs ?? 0) * state.jitter
}

/** undefined: the peer takes no echoes, or we send none. */
export function echoMs({ kind, remote }: State, settings: BfdSettings): number | undefined {
  if (kind !== 'up' || settings.echoMs === undefined || remote === undefined || remote.echoMs === 0) {
    return undefined
  }
  return Math.max(settings.echoMs, remote.echoMs)
}

export function echoAt(state: State, settings: BfdSettings): number | undefined {
  const ms = echoMs(state, settings)
  return ms === undefined ? undefined : state.echoSentAt + ms * state.jitter
}

/** How many leave within a detection time: while we stand still none do, and none that come back are missed. */
export function echoesToLose({ multiplier }: BfdSettings): number {
  return Math.max(1, multiplier - 1)
}

export function echoDetectAt(state: State, settings: BfdSettings): number | undefined {
  const ms = echoMs(state, settings)
  const last = state.echoesOut[echoesToLose(settings) - 1]
  if (ms === undefined || last === undefined) return undefined
  return Math.max(state.echoHeardAt + ms * settings.multiplier, last + ms)
}

export function nextDeadline(state: State, settings: BfdSettings): number | undefined {
  const all = [
    sendAt(state, settings),
    detectAt(state),
    echoAt(state, settings),
    echoDetectAt(state, settings),
    state.heldUntil,
  ].filter((at) => at !== undefined)
  return all.length === 0 ? undefined : Math.min(...all)
}

/** §6.8.7: 75 to 100 % of the interval, 75 to 90 % where a single lost packet counts. */
export function drawJitter({ multiplier, random }: BfdSettings): number {
  return 0.75 + (multiplier === 1 ? 0.15 : 0.25) * random()
}
