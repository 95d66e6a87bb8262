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
  /** The shortest time by which it is judged besides. */
  readonly limitMs?: number
  /** Summed up over the repetitions, or with `max ` before the name the greatest. */
  readonly figures: Readonly<Record<string, number>>
  /** What is not as it should be, one sentence each; it stands, however busy this machine was. */
  readonly complaints: readonly string[]
  /** The same of times, which a busy machine spoils. */
  readonly ofTimes?: readonly string[]
  /** How late timers were where it was measured. */
  readonly lateMs: number
  /** How often it was measured, where this row is the last of it. */
  readonly tries: number
  /** This machine spoilt its times: another try follows, which has a row of its own. */
  readonly again?: true
}

export interface Limits {
  readonly median: number
  readonly worst?: number
}

export type Trial = (
  note: (text: string) => void,
) => Promise<Omit<Row, 'part' | 'what' | 'tries' | 'setting' | 'again'>>

const mostTries = 3

/** The part of that name alone, or all. */
export function chosenParts<P>(parts: Readonly<Record<string, P>>, wanted: string | undefined): readonly P[] {
  const chosen = Object.entries(parts).filter(([name]) => wanted === undefined || name === wanted)
  if (chosen.length === 0)
    throw new Error(`no part is named "${wanted}"; there are ${Object.keys(parts).join(', ')}`)
  return chosen.map(([, part]) => part)
}

/** What of `times` is not in the journal yet; a repetition whose times this machine spoilt is done again, good or bad. */
export async function repeat(o: Recording, part: string, what: string, times: number, trial: Trial) {
  const { setting, only = '', journal, progress } = o
  if (!what.includes(only)) return
  for (;;) {
    const rows = journal
      .rows()
      .filter((row) => row.part === part && row.what === what && row.setting === setting)
    const done = rows.filter(counts).length
    if (done >= times) return
    const spoilt = rows.length - 1 - rows.findLastIndex(counts)
    const title = `${part}: ${what}, ${done + 1} of ${times}${spoilt > 0 ? `, try ${spoilt + 1}` : ''}`
    await progress.step(title, async (note) => {
      const row = await trial(note)
      const again = isSpoilt(row) && spoilt + 1 < mostTries
      journal.add({ part, what, setting, tries: 1, ...row, ...(again ? { again } : {}) })
      note(again ? spoiltText(row) : toldOf(row))
    })
  }
}

export function counts({ again }: Row): boolean {
  return again !== true
}

type Measured = Pick<Row, 'gapMs' | 'limits' | 'limitMs' | 'complaints' | 'ofTimes' | 'lateMs'>

/**
 * Timers here were late by more than half of what it is judged by, be it good or bad; or by more than half of what was
 * measured where that is not as it should be.
 */
export function isSpoilt({ gapMs, limits, limitMs, ofTimes = [], lateMs }: Measured): boolean {
  const all = [limits?.median, limits?.worst, limitMs].filter((limit) => limit !== undefined)
  // However late timers were, it was too long.
  if (gapMs !== undefined && gapMs - lateMs > (limits?.worst ?? Number.POSITIVE_INFINITY)) return false
  if (lateMs > Math.min(...all) / 2) return true
  return gapMs !== undefined && lateMs > gapMs / 2 && ofTimes.length > 0
}

/** Of a try that was done again. */
export function spoiltText(row: Measured): string {
  return `timers were ${Math.round(row.lateMs)} ms late: ${toldOf(row)}`
}

function toldOf({ gapMs, complaints, ofTimes = [] }: Measured): string {
  const gap = gapMs === undefined ? [] : [`${Math.round(gapMs)} ms`]
  return [...gap, ...ofTimes, ...complaints].join('; ') || 'done'
}
