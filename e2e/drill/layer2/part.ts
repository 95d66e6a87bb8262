/** A part of the layer 2 drill: what it is given, and the rows that it leaves in the journal. */
import type { Progress } from '../../lab/index.ts'
import type { Journal } from '../journal.ts'

export interface PartOptions {
  /** undefined: as the part has it. */
  readonly times: number | undefined
  readonly nodes: number
  /** As `--heartbeat` has it; '': the default. */
  readonly heartbeat: string
  /** A lab that is up. */
  readonly lab: string | undefined
  readonly progress: Progress
  readonly journal: Journal<Row>
}

export interface Part {
  readonly about: string
  run(options: PartOptions): Promise<void>
}

/** One repetition of one thing. */
export interface Row {
  readonly part: string
  readonly what: string
  readonly nodes: number
  readonly heartbeat: string
  /** How long whatever is measured was away. */
  readonly gapMs?: number
  readonly limits?: Limits
  /** Summed up over the repetitions, or with `max ` before the name the greatest. */
  readonly figures: Readonly<Record<string, number>>
  /** What is not as it should be, one sentence each. */
  readonly complaints: readonly string[]
  /** How late timers were where it was measured. */
  readonly lateMs: number
  readonly tries: number
}

export interface Limits {
  readonly median: number
  readonly worst: number
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

export type Trial = (note: (text: string) => void) => Promise<Omit<Row, 'part' | 'tries' | keyof Setting>>

interface Setting {
  readonly nodes: number
  readonly heartbeat: string
}

const mostTries = 3

/** What of `times` is not in the journal yet; a repetition that this machine was too busy to judge is done again. */
export async function repeat(o: PartOptions, part: string, what: string, times: number, trial: Trial) {
  const { nodes, heartbeat, journal, progress } = o
  const done = journal
    .rows()
    .filter(
      (row) => row.part === part && row.what === what && row.nodes === nodes && row.heartbeat === heartbeat,
    )
  for (let n = done.length; n < times; n++) {
    await progress.step(`${part}: ${what}, ${n + 1} of ${times}`, async (note) => {
      const row = await judged(trial, note)
      journal.add({ part, nodes, heartbeat, ...row })
      note(`${row.gapMs === undefined ? 'done' : `${Math.round(row.gapMs)} ms`} ${row.complaints.join('; ')}`)
    })
  }
}

async function judged(trial: Trial, note: (text: string) => void) {
  for (let tries = 1; ; tries++) {
    const row = { ...(await trial(note)), tries }
    if (row.gapMs === undefined || row.lateMs <= row.gapMs / 2 || tries === mostTries) return row
    note(`timers were ${Math.round(row.lateMs)} ms late, once more`)
  }
}
