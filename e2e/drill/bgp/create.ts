/** `create`: from a Service that is created to its route at a peer, above what the API alone takes, among few and many. */
import type { Row } from '../part.ts'
import type { Part, PartOptions } from './part.ts'
import type { Created } from './stage-main.ts'
import { type Measured, onStage } from './stage-run.ts'

const counts = [0, 1000, 5000]
const times = 20
const limits = { median: 20 }
const receiver = (count: number): string => `at a bare receiver, ${count} Services`
const beside = (name: 'frr' | 'gobgp', count: number): string =>
  `beside it at ${name === 'frr' ? "FRR's kernel" : 'GoBGP'}, ${count} Services`

export const create: Part = {
  about: `a Service is created among ${counts.join(', ')}: its route at a bare receiver, beside it FRR and GoBGP`,
  run: async (o) => {
    for (const count of counts) await among(o, count)
  },
}

/** One stage for all repetitions of a count that the journal does not have yet. */
async function among(o: PartOptions, count: number): Promise<void> {
  const left = (what: string) =>
    (o.times ?? times) - o.journal.rows().filter((row) => row.part === 'create' && row.what === what).length
  const [creates, besides] = [left(receiver(count)), left(beside('gobgp', count))]
  if (creates <= 0 && besides <= 0) return
  const measured = await o.progress.step(`create: ${count} Services`, (note) =>
    onStage({ count, creates: Math.max(0, creates), besides: Math.max(0, besides), restarts: 0 }, (line) => {
      note(line.kind === 'note' ? line.text : line.kind)
      if (line.kind === 'created') put(o, receiver(count), outcomeOf(line))
    }),
  )
  for (const name of ['frr', 'gobgp'] as const)
    for (const outcome of besideOf(measured, name)) put(o, beside(name, count), outcome)
}

function outcomeOf({ routeMs, apiMs, lateMs, tries }: Created): Outcome {
  const figures = { 'max API alone ms': apiMs, 'max in all ms': routeMs }
  return { gapMs: routeMs - apiMs, limits, lateMs, tries, figures, complaints: [] }
}

type Outcome = Omit<Row, 'part' | 'what' | 'setting'>

function besideOf({ lines, heldAt }: Measured, name: string): readonly Outcome[] {
  return lines.flatMap((line) => {
    if (line.kind !== 'beside') return []
    const held = heldAt.get(`${name} ${line.prefix}`)
    const complaints = held === undefined ? [`${line.prefix} did not come to ${name}`] : []
    const gap = held === undefined ? {} : { gapMs: held - line.at - line.apiMs }
    const figures = { 'max receiver then ms': line.routeMs - line.apiMs }
    return [{ ...gap, figures, complaints, lateMs: 0, tries: 1 }]
  })
}

function put({ setting, journal }: PartOptions, what: string, outcome: Outcome): void {
  journal.add({ part: 'create', what, setting, ...outcome })
}
