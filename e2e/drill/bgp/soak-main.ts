/**
 * `node soak-main.ts JSON`: a ServicesStage whose speaker has something to bear, with routers beside it, and what befell its
 * sessions, a line of JSON each 5 s. Run by `soak.ts` inside a network namespace.
 */
import { until } from '@landfall/speaker/testing'
import { names } from '../../allocator/services.ts'
import { LimitedGroup } from '../../cgroup/limited-group.ts'
import type { Pace } from './routers.ts'
import { type Router, ServicesStage, type StartOptions } from './stage.ts'

export type Burden =
  /** The main thread stands still for so long at a time, half of the time, and makes garbage, MiB a second. */
  | { readonly kind: 'busy'; readonly blockedMs: number; readonly garbageMiB: number }
  | { readonly kind: 'quota'; readonly cores: number }

export interface SoakOrder {
  readonly minutes: number
  readonly burden: Burden
  readonly services: number
  readonly pace: Pace
  readonly holdSeconds: number
  readonly routers: readonly Router[]
}

export interface SoakSeen {
  readonly downs: number
  /** Of them, what the router says that it did not hear. */
  readonly unheard: number
  readonly sessionsLost: number
  /** What the speaker said of each, and of how late its worker was at that time. */
  readonly losses: readonly string[]
  /** How often the main thread was blocked, or the speaker throttled. */
  readonly burdened: number
  readonly longestGcMs: number
  /** The worker thread, at most; 0 where that is not looked at. */
  readonly workerLateMs: number
  /** Created, or deleted. */
  readonly changes: number
}

export type SoakLine =
  | { readonly kind: 'note'; readonly text: string }
  /** BFD is up with all routers, so long after the start. */
  | { readonly kind: 'up'; readonly ms: number }
  | ({ readonly kind: 'seen'; readonly secondsLeft: number } & SoakSeen)

const order: SoakOrder = JSON.parse(process.argv[2] ?? '{}')
const profile = 'drill'
/** With a tenth of a core a start takes its time. */
const startMs = 180_000
/** The intervals are agreed on. */
const settleMs = 5000
const changeMs = 1000
/** RFC 5880 §4.1. */
const neighborSaidSo = 3
const tellMs = 5000

const { burden } = order
const group =
  burden.kind === 'quota'
    ? new LimitedGroup(`landfall-bgp-${process.pid}`, { kind: 'cpu', cores: burden.cores })
    : undefined
const stage = await ServicesStage.start().catch((error: unknown) => {
  group?.remove()
  throw error
})
try {
  await addRouters()
  tell({ kind: 'note', text: `${order.services} Services` })
  await stage.provide(order.services)
  await stage.startSpeaker(burden.kind === 'quota' ? { group: group?.processes ?? '' } : busyMain(burden))
  tell({ kind: 'note', text: 'until BFD is up' })
  await stage.announced()
  await until('BFD', () => ups() === order.routers.length, startMs)
  const ms = performance.now() - stage.speaker.startedAt
  await pause(settleMs)
  tell({ kind: 'up', ms })
  await watch()
} finally {
  await stage.stop()
  await until('an empty cgroup', emptied)
}

async function addRouters(): Promise<void> {
  const { intervalMs, multiplier } = order.pace
  await stage.addProfile(profile, {
    receiveInterval: intervalMs,
    transmitInterval: intervalMs,
    detectMultiplier: multiplier,
  })
  for (const router of order.routers)
    await stage.addRouter(router, { holdTime: `${order.holdSeconds}s`, bfdProfile: profile })
}

/** Services come and go meanwhile. */
async function watch(): Promise<void> {
  const before = {
    downs: count('bfdDown'),
    unheard: unheard(),
    sessionsLost: count('sessionDown'),
    burdened: burdened(),
    worker: count('drillWorker'),
    lines: stage.speaker.lines.length,
  }
  const end = performance.now() + order.minutes * 60_000
  let changes = 0
  const seen = (secondsLeft: number) =>
    tell({
      kind: 'seen',
      secondsLeft,
      changes,
      downs: count('bfdDown') - before.downs,
      unheard: unheard() - before.unheard,
      sessionsLost: count('sessionDown') - before.sessionsLost,
      losses: lossesSince(before.lines),
      burdened: burdened() - before.burdened,
      workerLateMs: Math.max(
        0,
        ...stage.speaker
          .said('drillWorker')
          .slice(before.worker)
          .map(({ lateMs }) => Number(lateMs)),
      ),
      longestGcMs: Number(stage.speaker.said('drillBusy').at(-1)?.['longestGcMs'] ?? 0),
    })
  let told = performance.now()
  for (const name of names('passing', order.minutes * 60)) {
    if (performance.now() >= end) break
    await stage.addEndpoints([name])
    await stage.create(name)
    await pause(changeMs / 2)
    await stage.remove(name)
    changes += 2
    await pause(changeMs / 2)
    if (performance.now() - told < tellMs) continue
    told = performance.now()
    seen(Math.max(1, Math.ceil((end - told) / 1000)))
  }
  await pause(Math.max(0, end - performance.now()))
  seen(0)
  // The routers are looked at before the speaker goes.
  await pause(settleMs)
}

function busyMain({ blockedMs, garbageMiB }: Extract<Burden, { kind: 'busy' }>): StartOptions {
  return {
    before: ['--import', new URL('busy-main-thread.ts', import.meta.url).href],
    environment: { DRILL_BUSY: `${blockedMs} ${garbageMiB}` },
  }
}

function lossesSince(line: number): readonly string[] {
  const late: number[] = []
  const said: string[] = []
  for (const { event, peer, reason, diagnostic, lateMs } of stage.speaker.lines.slice(line)) {
    if (event === 'drillWorker') late.push(Number(lateMs))
    if (event !== 'bfdDown' && event !== 'sessionDown') continue
    const before = Math.round(Math.max(0, ...late.slice(-2)))
    said.push(`${event} ${String(peer)} ${String(reason ?? diagnostic)}, worker ${before} ms late before`)
  }
  return said
}

function unheard(): number {
  return stage.speaker.said('bfdDown').filter(({ diagnostic }) => diagnostic === neighborSaidSo).length
}

function burdened(): number {
  return group?.throttled() ?? count('drillBusy')
}

function ups(): number {
  return count('bfdUp') - count('bfdDown')
}

function count(event: string): number {
  return stage.speaker.said(event).length
}

function emptied(): boolean {
  try {
    group?.remove()
    return true
  } catch {
    return false
  }
}

function tell(line: SoakLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
