import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentProgress } from '../lab/index.ts'
import { Journal } from './journal.ts'
import { type Row, repeat, type Trial } from './part.ts'
import { judge } from './rows.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'landfall-part-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

type Try = Awaited<ReturnType<Trial>>

const good: Try = { gapMs: 300, figures: { lost: 1 }, complaints: [], lateMs: 5 }
const busy: Try = {
  gapMs: 1400,
  figures: { lost: 7 },
  complaints: ['two answered'],
  ofTimes: ['away for 1400 ms'],
  lateMs: 900,
}

/** A run with these tries, the last of which is repeated. */
async function run(tries: readonly (Try | Error)[], { times = 1, resume = false } = {}) {
  const journal = new Journal<Row>('part', resume, folder)
  let done = 0
  await repeat(
    { setting: 'here', progress: silentProgress, journal },
    'upgrade',
    'rolls',
    times,
    async () => {
      const one = tries[Math.min(done++, tries.length - 1)]
      if (one === undefined || one instanceof Error) throw one
      return one
    },
  )
  return { done, ...judge(journal.rows()) }
}

test('of a try that the machine spoilt the times are judged anew, and all else stands and is told', async () => {
  const { done, table, complaints } = await run([busy, good])
  expect(done).toBe(2)
  expect(complaints).toEqual(['upgrade, rolls, here: two answered'])
  expect(table).toMatch(/rolls +here +1 +300 ms +300 ms +1 +0 +lost 1\n/)
  expect(table).toContain(
    'done again: upgrade, rolls, here: timers were 900 ms late: 1400 ms; away for 1400 ms; two answered\n',
  )
})

test('a run that is resumed knows of the tries before', async () => {
  await expect(run([busy, busy, new Error('cut off')])).rejects.toThrow('cut off')
  const { done, table, complaints } = await run([busy], { resume: true })
  expect(done).toBe(1)
  expect(complaints).toEqual([
    'upgrade, rolls, here: two answered',
    'upgrade, rolls, here: two answered',
    'upgrade, rolls, here: two answered',
    'upgrade, rolls, here: away for 1400 ms',
  ])
  expect(table).toMatch(/rolls +here +1 +1400 ms +1400 ms +2 +1 +lost 7\n/)
  expect((await run([good], { resume: true })).done).toBe(0)
  expect((await run([good], { times: 2, resume: true })).table).toMatch(/rolls +here +2 .* +2 +1 +lost 8\n/)
})

test('what took too long by itself stands, however late timers were', async () => {
  const slow = { ...good, gapMs: 5000, limits: { median: 900, worst: 1500 }, lateMs: 600 }
  const { done, complaints } = await run([slow, good])
  expect([done, complaints.length]).toEqual([1, 2])
})

test.each([
  ['the median', { limits: { median: 900, worst: 1500 } }],
  ['the worst', { limits: { median: 2000, worst: 900 } }],
  ['something else', { limits: { median: 1200 }, limitMs: 900 }],
])(
  'whatever was measured, it is done again where timers were late by half of what is allowed for %s',
  async (_, by) => {
    for (const gapMs of [0, 950]) {
      const late = { ...good, ...by, gapMs, complaints: ['a wrong owner'], lateMs: 460 }
      const { done, complaints, table } = await run([late, { ...good, ...by }])
      expect(done).toBe(2)
      expect(complaints).toEqual(['upgrade, rolls, here: a wrong owner'])
      expect(table).toContain('done again: ')
      expect((await run([{ ...late, lateMs: 440 }])).done).toBe(1)
    }
  },
)

test('also where no gap is measured', async () => {
  const { gapMs: _, ...without } = good
  expect((await run([{ ...without, limitMs: 500, lateMs: 260 }, good])).done).toBe(2)
  expect((await run([{ ...without, lateMs: 900 }])).done).toBe(1)
})
