/** `outage`: each part falls, a number of times, under 50 requests a second from both clients. */
import { renderTable } from '../demo/table.ts'
import type { LoadResult } from '../load/load.ts'
import { type Drill, median, type Verdict } from './drill.ts'
import { Journal } from './journal.ts'
import { type Measured, measure, outages } from './outages.ts'
import { causes, ms, sameAddresses } from './report.ts'

/** Nothing that carries a request falls with these. */
const mayLoseNothing = ['controller', 'serve', 'apiserver']

export const outage: Drill = {
  about: 'controller, serve, speaker, Envoy and API server fall under load: what is lost, and for how long',
  times: 3,
  run: async (lab, { times, resume, progress }) => {
    const journal = new Journal<Measured>('outage', resume)
    for (const one of outages) {
      const done = journal.rows().filter(({ outage: name }) => name === one.name).length
      for (let n = done; n < times; n++) {
        const title = `${one.what}, ${n + 1} of ${times}`
        await progress.step(title, async (note) => journal.add(await measure(lab, one, { note })))
      }
    }
    return judge(journal.rows())
  },
}

function judge(rows: readonly Measured[]): Verdict {
  const head = [
    'FELL',
    'TIMES',
    'LOAD FROM',
    'SENT',
    'LOST',
    'BY',
    'LATE',
    'GAP MIN/MEDIAN/MAX',
    'NO ARP',
    'ROUTES LOST',
    'ADDRESSES',
  ]
  const table = [head]
  const complaints: string[] = []
  for (const [name, all] of Map.groupBy(rows, (row) => row.outage)) {
    const kept = all.every(sameAddresses)
    const routesLost = all.reduce((total, row) => total + row.routesLost, 0)
    if (routesLost > 0) complaints.push(`${name}: a router was without a route ${routesLost} times`)
    if (!kept) complaints.push(`${name}: an address changed`)
    const shares = all.flatMap((row) => row.shares)
    for (const [from, own] of Map.groupBy(shares, (share) => share.from)) {
      const results = own.map(({ result }) => result)
      const lost = sum(results, ({ lost }) => lost.length)
      const gaps = own.map(({ gapMs }) => gapMs)
      if (lost > 0 && mayLoseNothing.includes(name)) complaints.push(`${name}: ${from} lost ${lost} requests`)
      table.push([
        name,
        `${all.length}`,
        from,
        `${sum(results, ({ sent }) => sent)}`,
        `${lost}`,
        causes(results),
        `${sum(results, ({ late }) => late.length)}`,
        `${Math.min(...gaps)} / ${median(gaps)} / ${Math.max(...gaps)} ms`,
        ms(longest(all)),
        `${routesLost}`,
        kept ? 'kept' : 'CHANGED',
      ])
    }
  }
  return { table: renderTable(table), complaints }
}

function longest(rows: readonly Measured[]): number | undefined {
  const silences = rows.map(({ arpMs }) => arpMs)
  const known = silences.filter((silence) => silence !== undefined)
  return known.length < silences.length ? undefined : Math.max(...known)
}

function sum(results: readonly LoadResult[], count: (result: LoadResult) => number): number {
  return results.reduce((total, result) => total + count(result), 0)
}
