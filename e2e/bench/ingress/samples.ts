/** One change after the other on stands that take turns: until Envoy shows it, and what it cost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { hostOf, names, sliceObject } from '../../ingress/objects.ts'
import { podAddress } from '../../ingress/own-network.ts'
import { type Answer, ok, Prober } from '../../ingress/prober.ts'
import { threadsCpuMs } from '../../nodeless/process-usage.ts'
import { type Change, type ChangeFigures, changes } from './cell.ts'
import type { Stand } from './stand.ts'

/** In which whatever follows a change is done: statuses among it. */
const pauseMs = 80
const restMs = 3000
/** Of each kind, before any is measured: in a process that has just started much of a change is compiling what it takes. */
const unmeasured = 500
/** Where a host more or less costs Envoy all filter chains anew. */
const unmeasuredOfChains = 50

interface Deed {
  readonly act: () => Promise<void>
  readonly path: string
  readonly shows: (answer: Answer | undefined) => boolean
}

type Tally = Readonly<Record<keyof Omit<ChangeFigures, 'bytes'>, number[]>>

function emptyTally(): Tally {
  return { latenciesMs: [], requestsMs: [], serveCpuMs: [], envoyCpuMs: [] }
}

interface Rest {
  /** Milliseconds of processor a millisecond. */
  readonly serve: number
  readonly envoy: number
}

const atWork: Rest = { serve: 0, envoy: 0 }

/** @returns in the order of the stands, by kind of change */
export async function sample(
  stands: readonly Stand[],
  count: number,
  note: (text: string) => void,
): Promise<readonly Readonly<Record<Change, ChangeFigures>>[]> {
  const all = names('s', count)
  const chains = stands.some(({ mode }) => mode === 'each')
  const first = names('w', chains ? unmeasuredOfChains : unmeasured)
  for (const stand of stands) await stand.prepare([...first, ...all])
  for (const change of changes)
    for (const [index, name] of first.entries())
      for (const stand of stands)
        await once(stand, deedOf(stand, change, name, index), name, emptyTally(), atWork, 0)
  for (const stand of stands) await stand.quiet()
  const rests = await Promise.all(stands.map(restOf))
  const figures = stands.map(() => new Map<Change, ChangeFigures>())
  for (const change of changes) {
    const tallies = stands.map(emptyTally)
    const before = await Promise.all(stands.map(sentBytes))
    for (const [index, name] of all.entries()) {
      note(`${change} ${index + 1} of ${count}`)
      for (const [at, stand] of stands.entries()) {
        const tally = tallies[at]
        const rest = rests[at] ?? atWork
        if (tally !== undefined) await once(stand, deedOf(stand, change, name, index), name, tally, rest)
      }
    }
    const after = await Promise.all(stands.map(sentBytes))
    for (const [at, tally] of tallies.entries()) {
      const bytes = ((after[at] ?? 0) - (before[at] ?? 0)) / count
      figures[at]?.set(change, { ...tally, bytes })
    }
  }
  return figures.map((one) => Object.fromEntries(one) as Record<Change, ChangeFigures>)
}

function deedOf(stand: Stand, change: Change, name: string, index: number): Deed {
  const { objects } = stand.site
  const ip = podAddress(1 + index)
  const version = `second ${name}`
  const deeds: Readonly<Record<Change, Deed>> = {
    add: { act: () => objects.create('proxy', stand.proxy(name)), path: '/', shows: ok },
    change: {
      act: () => objects.replace('proxy', stand.proxy(name, version)),
      path: '/version',
      shows: (answer) => answer?.body === version,
    },
    endpoint: {
      act: () => objects.replace('slice', sliceObject(name, [{ ip }])),
      path: '/',
      shows: (answer) => answer?.body === ip,
    },
    delete: {
      act: () => objects.delete('proxy', name),
      path: '/',
      shows: (answer) => answer === undefined || answer.status === 404,
    },
  }
  return deeds[change]
}

/** The connection is there before the change, where one can be. */
async function once(
  stand: Stand,
  { act, path, shows }: Deed,
  name: string,
  tally: Tally,
  rest: Rest,
  afterMs = pauseMs,
): Promise<void> {
  const { serve, envoy } = stand.site
  const prober = new Prober(stand.site.entry(stand.tls), hostOf(name))
  await prober.ask(path)
  const cpu = { serve: threadsCpuMs(serve.pid), envoy: envoy.mainCpuMs() }
  const started = performance.now()
  await act()
  const answered = performance.now()
  const shown = await prober.until(path, shows)
  await sleep(afterMs)
  tally.requestsMs.push(answered - started)
  tally.latenciesMs.push(shown - answered)
  const elapsed = performance.now() - started
  tally.serveCpuMs.push(threadsCpuMs(serve.pid) - cpu.serve - rest.serve * elapsed)
  tally.envoyCpuMs.push(envoy.mainCpuMs() - cpu.envoy - rest.envoy * elapsed)
  prober.close()
}

async function restOf(stand: Stand): Promise<Rest> {
  const { serve, envoy } = stand.site
  const before = { serve: threadsCpuMs(serve.pid), envoy: envoy.mainCpuMs(), at: performance.now() }
  await sleep(restMs)
  const elapsed = performance.now() - before.at
  return {
    serve: (threadsCpuMs(serve.pid) - before.serve) / elapsed,
    envoy: (envoy.mainCpuMs() - before.envoy) / elapsed,
  }
}

async function sentBytes(stand: Stand): Promise<number> {
  return (await stand.site.metrics()).get('landfall_xds_sent_bytes_total') ?? 0
}
