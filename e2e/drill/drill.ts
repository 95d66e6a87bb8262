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

/** On API servers or labs of its own. */
export interface LablessDrill extends Pick<Drill, 'about'> {
  /** Repetitions unless told otherwise; undefined: each of its parts has its own number. */
  readonly times: number | undefined
  /** Whether it runs in a network of its own, all of it or that part. */
  readonly apart?: (part: string | undefined) => boolean
  run(options: LablessOptions): Promise<Verdict>
}

export interface LablessOptions extends Omit<DrillOptions, 'times'> {
  readonly times: number | undefined
  /** One part of several. */
  readonly part?: string
  /** Of the part only what has this in its name. */
  readonly only?: string
  readonly nodes?: number
  /** The speakers' `--heartbeat`. */
  readonly heartbeat?: string
  /** A lab that is up, for drills that make labs. */
  readonly lab?: string
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
