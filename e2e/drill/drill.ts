/** What a drill is given, and what it gives back. */
import type { Lab, Progress } from '../lab/index.ts'

export interface DrillOptions {
  readonly times: number
  /** Go on where an interrupted run of the same drill ended. */
  readonly resume: boolean
  readonly progress: Progress
}

export interface Verdict {
  readonly table: string
  /** What is not as it should be, one sentence each; empty is good. */
  readonly complaints: readonly string[]
}

export interface Drill {
  readonly about: string
  /** Repetitions unless told otherwise. */
  readonly times: number
  run(lab: Lab, options: DrillOptions): Promise<Verdict>
}

/** On API servers of its own. */
export interface LablessDrill extends Pick<Drill, 'about' | 'times'> {
  run(options: DrillOptions): Promise<Verdict>
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
