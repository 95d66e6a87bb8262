/**
 * Whether a BFD profile is quicker than what was measured to hold (pure): 50 ms × 3, and with less than a core 300 ms × 3,
 * since a process that has used up its quota stands still for the rest of the period.
 */
import type { BfdProfile } from '../plan/bgp-plan.ts'

const floorMs = 150
const throttledFloorMs = 900

/** What is to be said of it; undefined: it holds. `quota`: of the process, in cores; undefined: none. */
export function paceConcern(profile: BfdProfile | undefined, quota: number | undefined): string | undefined {
  if (profile === undefined) return undefined
  const { transmitMs, receiveMs, multiplier, echoMs } = profile
  const detectMs = multiplier * Math.min(transmitMs, receiveMs, echoMs ?? transmitMs)
  const throttled = quota !== undefined && quota < 1
  if (detectMs >= (throttled ? throttledFloorMs : floorMs)) return undefined
  const held = throttled ? `300 ms × 3 with a quota of ${quota} cores` : '50 ms × 3'
  return `BFD gives up after ${detectMs} ms without a packet: no more than ${held} is known to hold without flaps`
}
