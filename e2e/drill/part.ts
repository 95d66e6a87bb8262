/** Drills that have parts: what a part is given, and the rows that it leaves in the journal. */
import type { Progress } from '../lab/index.ts'
import type { Journal } from './journal.ts'

/** Where rows of one run go. */
export interface Recording {
  /** On what it runs, where that may be chosen: rows of another setting are others. */
  readonly setting: string
  /** Of the part only what has this in its name. */
  readonly only?: string | undefined
  readonly progress: Progress
  readonly journal: Journal<Row>
}

/** One repetition of one thing. */
export interface Row {
  readonly part: string
  readonly what: string
  readonly setting: string
  /** How long whatever is measured was away, or took. */
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
  readonly worst?: number
}

export type Trial = (
  note: (text: string) => void,
) => Promise<Omit<Row, 'part' | 'what' | 'tries' | 'setting'>>

const mostTries = 3

/** The part of that name alone, or all. */
export function chosenParts<P>(parts: Readonly<Record<string, P>>, wanted: string | undefined): readonly P[] {
  const chosen = Object.entries(parts).filter(([name]) => wanted === undefined || name === wanted)
  if (chosen.length === 0)
    throw new Error(`no part is named "${wanted}"; there are ${Object.keys(parts).join(', ')}`)
  return chosen.map(([, part]) => part)
}

/** What of `times` is not in the journal yet; a repetition that this machine was too busy to judge is done again. */
export async function repeat(o: Recording, part: string, what: string, times: number, trial: Trial) {
  const { setting, only = '', journal, progress } = o
  if (!what.includes(only)) return
  const done = journal
    .rows()
    .filter((row) => row.part === part && row.what === what && row.setting === setting)
  for (let n = done.length; n < times; n++) {
    await progress.step(`${part}: ${what}, ${n + 1} of ${times}`, async (note) => {
      const row = await judged(trial, note)
      journal.add({ part, what, setting, ...row })
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
