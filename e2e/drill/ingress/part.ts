/** A part of the ingress drill: what it is given. */
import type { Recording } from '../part.ts'

export interface PartOptions extends Recording {
  /** undefined: as the part has it. */
  readonly times: number | undefined
}

export interface Part {
  readonly about: string
  run(options: PartOptions): Promise<void>
}

export function limited(what: string, value: number, limit: number): readonly string[] {
  return value > limit ? [`${what} after ${Math.round(value)} ms, not within ${limit} ms`] : []
}
