/** `failover`: SIGKILL of the announcing speaker; how long until somebody answers ARP again. */
import { externalAddresses } from '../demo/installation.ts'
import { renderTable } from '../demo/table.ts'
import type { Lab } from '../lab/index.ts'
import { watchArp } from '../load/arp-watch.ts'
import { type Drill, median } from './drill.ts'
import { Journal } from './journal.ts'
import { ms } from './report.ts'
import { announcingSpeaker, freshTarget, targetRuns } from './targets.ts'
import { startTicker } from './ticker.ts'

interface Row {
  readonly killed: string
  readonly gapMs: number
  readonly tickerLateMs: number
  readonly tries: number
}

/** At the default pace of heartbeats. */
const limits = { median: 900, worst: 1500 } as const
const tries = 3
/** What the killed process sent has arrived by then. */
const sentMs = 20

export const failover: Drill = {
  about: 'SIGKILL of the announcing speaker: the time until somebody answers ARP again',
  times: 20,
  run: async (lab, { times, resume, progress }) => {
    const journal = new Journal<Row>('failover', resume)
    for (let n = journal.rows().length; n < times; n++) {
      await progress.step(`failover ${n + 1} of ${times}`, async (note) => {
        const row = await measured(lab, note)
        journal.add(row)
        note(`${row.killed}: ${ms(row.gapMs)}`)
      })
    }
    return judge(journal.rows())
  },
}

/** Again, when this machine was too busy to tell. */
async function measured(lab: Lab, note: (text: string) => void): Promise<Row> {
  for (let n = 1; ; n++) {
    const row = { ...(await once(lab, note)), tries: n }
    if (row.tickerLateMs <= row.gapMs / 2 || n === tries) return row
    note(`the machine was busy for ${ms(row.tickerLateMs)}, once more`)
  }
}

async function once(lab: Lab, note: (text: string) => void): Promise<Omit<Row, 'tries'>> {
  const { ipv4 } = await externalAddresses(lab, 'envoy', 'projectcontour')
  note('choosing')
  const target = await freshTarget(lab, () => announcingSpeaker(lab, ipv4))
  const ticker = startTicker()
  const watch = watchArp(lab.client, ipv4)
  try {
    await lab.waitFor(`answers of ${target.node}`, () => watch.answers.length >= 10)
    ticker.take()
    const killed = performance.now()
    lab.pods.kill(target.namespace, target.pod, target.container, 'SIGKILL')
    note(`without the speaker of ${target.node}`)
    // Another node, or the same one when its speaker is back before it is missed.
    const next = await lab.waitFor('an answer', () =>
      watch.answers.find((answer) => answer.at > killed + sentMs),
    )
    const tickerLateMs = Math.round(ticker.take())
    await lab.waitFor(`${target.pod} to be ready again`, () => targetRuns(lab, target), { timeoutMs: 60_000 })
    return { killed: target.node, gapMs: Math.round(next.at - killed), tickerLateMs }
  } finally {
    ticker.stop()
    await watch.stop()
  }
}

function judge(rows: readonly Row[]) {
  const gaps = rows.map(({ gapMs }) => gapMs)
  const [least, middle, worst] = [Math.min(...gaps), median(gaps), Math.max(...gaps)]
  const busy = rows.filter(({ gapMs, tickerLateMs }) => tickerLateMs > gapMs / 2).length
  const again = rows.filter((row) => row.tries > 1).length
  const table = renderTable([
    ['KILLED', 'TIMES', 'MINIMUM', 'MEDIAN', 'MAXIMUM', 'LIMITS', 'MEASURED AGAIN', 'TOO BUSY TO TELL'],
    [
      'the announcing speaker',
      `${rows.length}`,
      ms(least),
      ms(middle),
      ms(worst),
      `median ${limits.median} ms, worst ${limits.worst} ms`,
      `${again}`,
      `${busy}`,
    ],
  ])
  const complaints: string[] = []
  if (middle >= limits.median) complaints.push(`the median is ${ms(middle)}, not below ${limits.median} ms`)
  if (worst >= limits.worst) complaints.push(`the worst is ${ms(worst)}, not below ${limits.worst} ms`)
  return { table, complaints }
}
