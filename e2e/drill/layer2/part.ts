/** A part of the layer 2 drill: what it is given, and what traffic may lose. */
import type { Limits, Recording } from '../part.ts'

export interface PartOptions extends Recording {
  /** undefined: as the part has it. */
  readonly times: number | undefined
  readonly nodes: number
  /** As `--heartbeat` has it; '': the default. */
  readonly heartbeat: string
  /** A lab that is up. */
  readonly lab: string | undefined
}

export interface Part {
  readonly about: string
  run(options: PartOptions): Promise<void>
}

/** Traffic after the loss of an owner. */
export function takeoverLimits(heartbeat: string): Limits {
  return heartbeat === '' ? { median: 900, worst: 1500 } : { median: 500, worst: 1500 }
}

const defaultDetectionMs = 600

/** Until a silent member is dead. */
export function detectionMs(heartbeat: string): number {
  const [interval = 0, misses = 0] = heartbeat.split('x').map(Number)
  return heartbeat === '' ? defaultDetectionMs : interval * misses
}
