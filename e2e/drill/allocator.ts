/**
 * `allocator`: the leader killed and the API server restarted while Services are created, outages in a row, the swap in
 * place of MetalLB's controller, and a life within 100 MiB. On API servers of its own, without a lab.
 */

import { allocationGrowth } from '../allocator/pure.ts'
import { type Blow, bulkUnder, lifeWithin, outages, swap } from '../allocator/trials.ts'
import { LimitedGroup } from '../cgroup/limited-group.ts'
import { renderTable } from '../demo/table.ts'
import { type DrillOptions, type LablessDrill, median, type Verdict } from './drill.ts'
import { Journal } from './journal.ts'
import { startTicker } from './ticker.ts'

const services = 1000
const lifeServices = 5000
const awayMs = 7000
const inARow = 3
const limitMs = 2000
const limitMiB = 100
/** With so many Services, each in the median. */
const nextLimitMs = 50
const restartLimitMs = 1000
/** Of a Service: its address, the Event, and that it is announced. */
const mostWrites = 3
/** Of the time for an allocation, from 1,000 Services to 50,000. */
const mostGrowth = 1.5
/** A figure in time is measured again when this process was late by more than half of it. */
const mostTries = 3

interface Row {
  readonly part: string
  readonly figures: string
  readonly complaints: readonly string[]
}

type Trial = () => Promise<Omit<Row, 'part'>>

const trials: Readonly<Record<string, Trial>> = {
  'allocation alone': alone,
  'leader killed': () => bulk('leader killed'),
  'leader frozen': () => bulk('leader frozen'),
  'API server restarted': () => bulk('API server restarted'),
  'API server away': away,
  'swapped in place': swapped,
  [`within ${limitMiB} MiB`]: life,
}

export const allocator: LablessDrill = {
  about: 'the controller while its leader is killed, the API server falls, and memory is short',
  times: 3,
  run: drill,
}

async function drill({ times, resume, progress }: DrillOptions): Promise<Verdict> {
  const journal = new Journal<Row>('allocator', resume)
  for (const [part, trial] of Object.entries(trials)) {
    const done = journal.rows().filter((row) => row.part === part).length
    for (let n = done; n < times; n++) {
      const outcome = await progress.step(`${part}, ${n + 1} of ${times}`, trial)
      journal.add({ part, ...outcome })
    }
  }
  const rows = journal.rows()
  return {
    table: renderTable([['TRIAL', 'FIGURES'], ...rows.map(({ part, figures }) => [part, figures])]),
    complaints: rows.flatMap(({ part, complaints }) => complaints.map((one) => `${part}: ${one}`)),
  }
}

async function bulk(blow: Blow): ReturnType<Trial> {
  const { wanted, addressed, shared, tookMs, peakMiB } = await bulkUnder(blow, services)
  const left = wanted - addressed
  return {
    figures: `${addressed} of ${wanted} have an address, ${shared.length} share one, after ${seconds(tookMs)}, peak ${mib(peakMiB)}`,
    complaints: [
      ...tooLarge(peakMiB),
      ...(left > 0 ? [`${left} Services have no address`] : []),
      ...(shared.length > 0 ? [`assigned twice: ${shared.slice(0, 10).join(', ')}`] : []),
    ],
  }
}

/** What others do on the machine counts for the larger one more: the best of some tries. */
async function alone(): ReturnType<Trial> {
  let growth = allocationGrowth()
  for (let tries = 1; growth > mostGrowth && tries < mostTries; tries++)
    growth = Math.min(growth, allocationGrowth())
  const figures = `${growth.toFixed(2)} × the time with 50,000 Services as with 1,000`
  return { figures, complaints: growth > mostGrowth ? [`more than ${mostGrowth} ×`] : [] }
}

async function away(): ReturnType<Trial> {
  const ticker = startTicker()
  try {
    for (let tries = 1; ; tries++) {
      ticker.take()
      const { latencies, peakMiB } = await outages(inARow, awayMs)
      const late = ticker.take()
      const worst = Math.max(...latencies)
      if (worst > limitMs && late > worst / 2 && tries < mostTries) continue
      const again = tries > 1 ? `, measured ${tries} times, for this machine was busy` : ''
      return {
        figures: `address after ${latencies.map(milliseconds).join(', ')} (own delay ${milliseconds(late)}${again}), peak ${mib(peakMiB)}`,
        complaints: [
          ...tooLarge(peakMiB),
          ...(worst > limitMs ? [`${milliseconds(worst)} is more than ${milliseconds(limitMs)}`] : []),
        ],
      }
    }
  } finally {
    ticker.stop()
  }
}

async function swapped(): ReturnType<Trial> {
  const { first, second, peakMiB } = await swap(services)
  return {
    figures: `${first.toFixed(3)} status writes a Service by the first controller, ${second.toFixed(3)} by the next, peak ${mib(peakMiB)}`,
    complaints: [
      ...tooLarge(peakMiB),
      ...(first > 1.01 ? [`${first.toFixed(3)} writes a Service, where one is needed`] : []),
      ...(second > 0.01 ? [`${second.toFixed(3)} writes a Service, where none is needed`] : []),
    ],
  }
}

async function life(): ReturnType<Trial> {
  const group = new LimitedGroup(`landfall-allocator-${process.pid}`, { kind: 'memory', mib: limitMiB })
  try {
    const result = await lifeWithin(group, lifeServices)
    const { peaksMiB, kills, alive, writesEach } = result
    const [created = 0, restarted = 0, deleted = 0] = peaksMiB
    const peaks = `peaks ${mib(created)} created, ${mib(restarted)} restarted, ${mib(deleted)} deleted`
    const [nextMs, restartMs] = [median(result.nextMs), median(result.restartsMs)]
    const latencies = `address ${milliseconds(nextMs)} after a deletion, ${milliseconds(restartMs)} after a restart`
    return {
      figures: `${lifeServices} Services, cgroup v${group.version}: ${kills} killed, ${peaks}, ${writesEach.toFixed(3)} writes each, ${latencies}`,
      complaints: [
        ...(kills > 0 || !alive ? ['the controller died'] : []),
        ...(nextMs > nextLimitMs ? [`${milliseconds(nextMs)} after a deletion`] : []),
        ...(restartMs > restartLimitMs ? [`${milliseconds(restartMs)} after a restart`] : []),
        ...(Number(writesEach.toFixed(2)) > mostWrites ? [`${writesEach.toFixed(3)} writes a Service`] : []),
        ...tooLarge(Math.max(...peaksMiB)),
      ],
    }
  } finally {
    group.remove()
  }
}

function tooLarge(peakMiB: number): readonly string[] {
  return peakMiB > limitMiB ? [`more than ${limitMiB} MiB resident`] : []
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(1)} s`
}

function milliseconds(value: number): string {
  return `${value.toFixed(0)} ms`
}

function mib(value: number): string {
  return `${value.toFixed(1)} MiB`
}
