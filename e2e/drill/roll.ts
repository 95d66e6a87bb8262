/**
 * `roll`: the Envoys of the manifests are replaced, one after the other, under 500 requests a second through the external
 * address: half of them on kept connections from the LAN, half each on its own from behind the routers. None may be lost.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { externalAddresses } from '../demo/installation.ts'
import { renderTable } from '../demo/table.ts'
import { lossText, lostOf, startRequests } from '../ingress/load.ts'
import type { Lab } from '../lab/index.ts'
import { startLoad } from '../load/load.ts'
import type { Drill, Verdict } from './drill.ts'
import { Journal } from './journal.ts'
import { exampleClients } from './outages.ts'
import { causes, ms } from './report.ts'

export interface Row {
  readonly tookMs: number
  readonly sent: number
  readonly lost: number
  readonly by: string
  /** When the first and the last of them were sent, by each load. */
  readonly at: string
  readonly longestMs: number
  readonly lateMs: number
}

const perSecond = 250
const timeoutMs = 10_000
const aroundMs = 3000
const workload = ['daemonset/envoy', '-n', 'projectcontour']

export const roll: Drill = {
  about: 'the Envoys are replaced one after the other under 500 requests a second',
  times: 3,
  run: async (lab, { times, resume, progress }) => {
    const journal = new Journal<Row>('roll', resume)
    for (let n = journal.rows().length; n < times; n++)
      await progress.step(`roll ${n + 1} of ${times}`, async (note) => {
        const row = await rollOnce(lab)
        journal.add(row)
        note(`${row.lost} of ${row.sent} lost ${row.by}`)
      })
    return judge(journal.rows())
  },
}

/** With the example on the lab, and answering. */
export async function rollOnce(lab: Lab): Promise<Row> {
  const { ipv4: address } = await externalAddresses(lab, 'envoy', 'projectcontour')
  const [near, far] = exampleClients(lab)
  if (near === undefined || far === undefined) throw new Error('the lab has no two clients')
  const common = { address, perSecond, timeoutMs }
  const kept = startRequests(
    { ...common, port: 80, tls: false, hosts: [near.host], paths: ['/'], connections: 32 },
    near.from.host.netns,
  )
  const single = startLoad(far.from, { ...common, host: far.host, lateMs: 1000 })
  let tookMs = 0
  try {
    await sleep(aroundMs)
    const started = performance.now()
    await lab.kubectl(['rollout', 'restart', ...workload])
    await lab.kubectl(['rollout', 'status', ...workload, '--timeout=300s'])
    tookMs = performance.now() - started
    await sleep(aroundMs)
  } finally {
    await Promise.all([kept.stop(), single.stop()])
  }
  const [ofKept, ofSingle] = await Promise.all([kept.stop(), single.stop()])
  const times = [ofKept.failed, ofSingle.lost].map((all) => all.map(({ atMs }) => atMs))
  return {
    tookMs,
    sent: ofKept.sent + ofSingle.sent,
    lost: lostOf(ofKept) + ofSingle.lost.length,
    by: [lossText(ofKept), causes([ofSingle])].filter(Boolean).join(', '),
    at: times.map((all) => (all.length === 0 ? '–' : `${Math.min(...all)}–${Math.max(...all)}`)).join(' '),
    longestMs: Math.max(ofKept.longestMs, ofSingle.longestMs),
    lateMs: Math.max(ofKept.tickerLateMs, ofSingle.tickerLateMs),
  }
}

function judge(rows: readonly Row[]): Verdict {
  const table = renderTable([
    ['ROLL', 'TOOK', 'SENT', 'LOST', 'BY', 'SENT AT (ms)', 'LONGEST ANSWER', 'OWN DELAY'],
    ...rows.map((row, index) => [
      `${index + 1}`,
      ms(row.tookMs),
      `${row.sent}`,
      `${row.lost}`,
      row.by,
      row.at,
      ms(row.longestMs),
      ms(row.lateMs),
    ]),
  ])
  const complaints = rows.flatMap(({ lost, by }, index) =>
    lost > 0 ? [`roll ${index + 1}: ${lost} requests lost: ${by}`] : [],
  )
  return { table, complaints }
}
