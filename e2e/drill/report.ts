/** What was measured, as tables. */
import { isDeepStrictEqual } from 'node:util'
import { renderTable } from '../demo/table.ts'
import type { LoadResult } from '../load/load.ts'
import type { Measured } from './outages.ts'

/** A row for each client of each outage. */
export function outageTable(measured: readonly Measured[]): string {
  const head = [
    'FELL',
    'LOAD FROM',
    'SENT',
    'LOST',
    'BY',
    'LATE',
    'GAP',
    'NO ARP',
    'ROUTES LOST',
    'LONGEST ANSWER',
    'OWN DELAY',
    'ADDRESSES',
  ]
  const rows = measured.flatMap((one) =>
    one.shares.map(({ from, result, gapMs }) => [
      one.outage,
      from,
      `${result.sent}`,
      `${result.lost.length}`,
      causes([result]),
      `${result.late.length}`,
      ms(gapMs),
      ms(one.arpMs),
      `${one.routesLost}`,
      ms(result.longestMs),
      ms(result.tickerLateMs),
      sameAddresses(one) ? 'kept' : 'CHANGED',
    ]),
  )
  return renderTable([head, ...rows])
}

export function sameAddresses({ before, after }: Measured): boolean {
  return isDeepStrictEqual(before, after)
}

export function ms(value: number | undefined): string {
  return value === undefined ? 'no end' : `${Math.round(value)} ms`
}

/** `ECONNRESET 12, TimeoutError 3`. */
export function causes(results: readonly LoadResult[]): string {
  const lost = results.flatMap((result) => result.lost)
  return [...Map.groupBy(lost, ({ why }) => why)].map(([why, all]) => `${why} ${all.length}`).join(', ')
}
