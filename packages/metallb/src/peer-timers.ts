/**
 * The times of a BGPPeer, in whole seconds (RFC 4271, 4.2 and 10): fractions are cut off, and a keepalive time of 0
 * counts as none.
 */
import type { BGPPeerSpec } from '@landfall/api'
import { parseGoDuration } from '@landfall/api'
import type { Problems } from './refusal.ts'

const defaultHoldSeconds = 90
const largest = 65535

export interface PeerTimers {
  readonly holdTimeSeconds: number
  readonly keepaliveSeconds: number
  readonly connectSeconds: number | undefined
}

export function readTimers(spec: BGPPeerSpec, problems: Problems): PeerTimers {
  const hold = readDuration('spec.holdTime', spec.holdTime, problems)
  const keepalive = readDuration('spec.keepaliveTime', spec.keepaliveTime, problems) || undefined
  const holdTime = hold ?? (keepalive === undefined ? defaultHoldSeconds : 3 * keepalive)
  const holdTimeSeconds = Math.trunc(holdTime)
  const keepaliveSeconds = Math.trunc(keepalive ?? holdTimeSeconds / 3)
  if (keepalive !== undefined && keepalive < 1) {
    problems.report(
      'spec.keepaliveTime',
      'NotSupported',
      'it must be 0s, for a third of the hold time, or at least 1s',
    )
  } else if ((holdTimeSeconds > 0 && holdTimeSeconds < 3) || holdTimeSeconds > largest) {
    const [field, limits] =
      hold === undefined
        ? ['spec.keepaliveTime', `three times as much, the hold time, must be at most ${largest}s`]
        : ['spec.holdTime', `it must be 0s, for never, or between 3s and ${largest}s`]
    problems.report(field, 'InvalidValue', limits)
  }
  if (keepalive !== undefined && keepalive > holdTime) {
    problems.report('spec.keepaliveTime', 'ConflictingFields', 'it is longer than spec.holdTime')
  }
  return { holdTimeSeconds, keepaliveSeconds, connectSeconds: readConnectSeconds(spec, problems) }
}

function readConnectSeconds(spec: BGPPeerSpec, problems: Problems): number | undefined {
  const seconds = readDuration('spec.connectTime', spec.connectTime, problems)
  if (seconds === undefined) return undefined
  if (seconds < 1 || seconds > largest || !Number.isInteger(seconds)) {
    problems.report('spec.connectTime', 'InvalidValue', `it must be whole seconds between 1s and ${largest}s`)
  }
  return seconds
}

/** Seconds, with fractions. */
function readDuration(field: string, text: string | undefined, problems: Problems): number | undefined {
  if (text === undefined || text === '') return undefined
  const seconds = parseGoDuration(text)
  if (seconds !== undefined && seconds >= 0) return seconds
  problems.report(field, 'InvalidValue', `${JSON.stringify(text)} is no duration such as 90s`)
  return undefined
}
