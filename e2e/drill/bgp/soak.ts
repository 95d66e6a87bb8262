/**
 * `soak` and `quota`: the speaker as its image starts it, beside an API server whose Services come and go, holds BFD and BGP
 * of short hold time with FRR and with BIRD for minutes: while its main thread is blocked half of the time and collects
 * garbage, and every core is busy; or with a tenth of a core for all of it from its start on. Nothing is lost.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { missingFor, PeerLab } from '@landfall/speaker/testing'
import { type Row, repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import type { Part, PartOptions } from './part.ts'
import { holdSeconds, type Pace, soakedRouters } from './routers.ts'
import type { Burden, SoakLine, SoakOrder, SoakSeen } from './soak-main.ts'

const program = fileURLToPath(new URL('soak-main.ts', import.meta.url))
const minutes = 10
const services = 200
const asn = 65530
const busy: Burden = { kind: 'busy', blockedMs: 500, garbageMiB: 100 }
const tenth: Burden = { kind: 'quota', cores: 0.1 }
/** FRR is the lab's router, BIRD another node. */
const places = {
  frr: { host: 'r', address: '10.77.0.1' },
  bird: { host: 'n2', address: '10.77.0.12' },
} as const

interface Kind {
  readonly part: string
  readonly pace: Pace
  readonly burden: Burden
  /** Whether all cores have somebody else's work to do all the time. */
  readonly hogs: boolean
}

export const soak: Part = {
  about: `BFD 50 ms × 3 for ${minutes} minutes (--times), main thread blocked for ${busy.blockedMs} ms at a time, cores busy`,
  run: (o) => soaked(o, { part: 'soak', pace: { intervalMs: 50, multiplier: 3 }, burden: busy, hogs: true }),
}

export const quota: Part = {
  about: `BFD 300 ms × 3 and ${holdSeconds} s of hold time with ${tenth.cores * 1000}m of a core, for ${minutes} minutes (--times)`,
  run: (o) =>
    soaked(o, { part: 'quota', pace: { intervalMs: 300, multiplier: 3 }, burden: tenth, hogs: false }),
}

async function soaked(o: PartOptions, kind: Kind): Promise<void> {
  for (const { name } of soakedRouters) {
    const why = missingFor(name)
    if (why !== undefined) throw new Error(why)
  }
  const lasts = o.times ?? minutes
  const what = `the whole speaker, ${kind.pace.intervalMs} ms × ${kind.pace.multiplier}, ${lasts} minutes`
  await repeat(o, kind.part, what, 1, (note) => flaps(kind, lasts, note))
}

async function flaps(kind: Kind, lasts: number, note: (text: string) => void): ReturnType<Trial> {
  const lab = new PeerLab(2)
  try {
    for (const router of soakedRouters) await router.start(lab, kind.pace, places[router.name].host)
    const { seen, upMs, downsThere, lost, besideMs } = await run(lab, kind, lasts, note)
    return {
      figures: {
        minutes: lasts,
        flaps: seen.downs,
        'of them unheard by the router': seen.unheard,
        'counted by the routers': downsThere,
        'BGP sessions lost': seen.sessionsLost,
        'Services created or deleted': seen.changes,
        'start to BFD ms': upMs,
        // What the machine itself keeps waiting: of no speaker can be asked more.
        'max another process late ms': besideMs,
        ...burdenFigures(kind, seen),
      },
      complaints: [
        ...(seen.downs + downsThere > 0 ? [`BFD went down ${Math.max(seen.downs, downsThere)} times`] : []),
        ...(seen.sessionsLost > 0 ? [`BGP went down ${seen.sessionsLost} times`] : []),
        ...(seen.burdened === 0 ? ['the speaker had nothing to bear'] : []),
        ...seen.losses,
        ...lost.map((name) => `${name}: BFD is not up at the end`),
      ],
      lateMs: 0,
    }
  } finally {
    await lab.close()
  }
}

function burdenFigures({ burden, hogs }: Kind, seen: SoakSeen): Row['figures'] {
  const { burdened, longestGcMs, workerLateMs } = seen
  if (burden.kind === 'quota') return { 'throttled periods': burdened }
  const cores = hogs ? availableParallelism() : 0
  return {
    'times blocked': burdened,
    'max collection ms': longestGcMs,
    'max worker late ms': workerLateMs,
    'cores kept busy': cores,
  }
}

interface Outcome {
  readonly seen: SoakSeen
  readonly upMs: number
  readonly downsThere: number
  /** How late a process was that has nothing else to do. */
  readonly besideMs: number
  /** Routers without BFD at the end. */
  readonly lost: readonly string[]
}

async function run(lab: PeerLab, kind: Kind, lasts: number, note: (text: string) => void): Promise<Outcome> {
  const downs = () => soakedRouters.reduce((sum, router) => sum + (router.downs(lab) ?? 0), 0)
  const routers = soakedRouters.map(({ name }) => ({ name, asn, port: 179, address: places[name].address }))
  const { burden, pace } = kind
  const order: SoakOrder = { minutes: lasts, burden, services, pace, holdSeconds, routers }
  const child = lab.spawn('n1', process.execPath, [program, JSON.stringify(order)])
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let [upMs, before] = [0, 0]
  let others: readonly ChildProcess[] = []
  let outcome: Outcome | undefined
  const ticker = startTicker()
  const read = (line: SoakLine): void => {
    switch (line.kind) {
      case 'note':
        return note(line.text)
      case 'up':
        upMs = line.ms
        before = downs()
        ticker.take()
        if (kind.hogs) others = startHogs()
        return
      default: {
        note(`${line.secondsLeft} s left, ${line.downs} flaps, ${line.sessionsLost} sessions lost`)
        if (line.secondsLeft > 0) return
        // The speaker is still there; when the stage has ended, BFD has gone with it.
        const lost = soakedRouters.filter((router) => !router.isUp(lab, places[router.name].host))
        const besideMs = ticker.take()
        outcome = {
          seen: line,
          upMs,
          downsThere: downs() - before,
          besideMs,
          lost: lost.map(({ name }) => name),
        }
      }
    }
  }
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (text) => read(JSON.parse(text)))
  try {
    const code = await ended
    if (outcome === undefined) throw new Error(`the stage ended with code ${code}`)
    return outcome
  } finally {
    ticker.stop()
    for (const one of others) one.kill('SIGKILL')
  }
}

function startHogs(): readonly ChildProcess[] {
  return Array.from({ length: availableParallelism() }, () =>
    spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' }),
  )
}
