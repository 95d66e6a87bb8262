/**
 * `soak`: hosts change by chance for a while. At the end Envoy holds what it would hold had both programs just started
 * on the objects that are left, other hosts have lost no request, and memory has not grown.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { lossText, lostOf, startRequests } from '../../ingress/load.ts'
import { hostOf, names } from '../../ingress/objects.ts'
import { answers, quiet, startSite } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { makeAuthority } from '../../scenarios/certificate.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { resourcesOf } from './config-dump.ts'
import type { Part } from './part.ts'
import { RandomChanges } from './random-changes.ts'

const still = 20
const changing = 200
const perSecond = 20
const requestsPerSecond = 200
const usualMinutes = 30
const mostGrowth = 1.2

export const soak: Part = {
  about: `changes by chance for ${usualMinutes} minutes, or --times`,
  run: async (o) => {
    const minutes = o.times ?? usualMinutes
    const what = `${perSecond} changes a second for ${minutes} min`
    await repeat(o, 'soak', what, 1, (note) => trial(minutes, note))
  },
}

async function trial(minutes: number, note: Parameters<Trial>[0]): ReturnType<Trial> {
  const authority = await makeAuthority()
  const others = names('h', still)
  const site = await startSite(others, note)
  const ticker = startTicker()
  const load = startRequests({
    port: site.ports.http,
    tls: false,
    hosts: others.map(hostOf),
    paths: ['/', '/app'],
    perSecond: requestsPerSecond,
    connections: 8,
    timeoutMs: 5000,
  })
  try {
    const random = await RandomChanges.prepare(site.objects, authority, changing)
    const memory = await changed(random, site, minutes * 60_000, note)
    const lateMs = ticker.take()
    const result = await load.stop()
    await quiet(site)
    const held = await resourcesOf(site.envoy)
    await site.endPrograms()
    site.startServe()
    await site.startEnvoy()
    for (const name of others) await answers(site, name)
    await quiet(site)
    const anew = await resourcesOf(site.envoy)
    const [before, after] = [without(held, anew), without(anew, held)]
    const different = [...before.map((one) => split(one, after)), ...after.map((one) => split(one, before))]
    const lost = lostOf(result)
    return {
      figures: {
        changes: random.done,
        resources: anew.size,
        different: different.length,
        requests: result.sent,
        lost,
        ...Object.fromEntries(
          memory.map(({ of, early, late }) => [`max ${of}: ${early.toFixed(0)}, then (MiB)`, late]),
        ),
      },
      complaints: [
        ...different.slice(0, 4).map((text) => `only before or only after a start: ${text}`),
        ...(lost > 0 ? [`${lost} requests lost: ${lossText(result)}`] : []),
        ...memory
          .filter(({ early, late }) => late > early * mostGrowth)
          .map(({ of, early, late }) => `${of} grew from ${early.toFixed(0)} to ${late.toFixed(0)} MiB`),
      ],
      lateMs,
    }
  } finally {
    ticker.stop()
    await load.stop()
    await site.stop()
  }
}

function without(some: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] {
  return [...some].filter((one) => !others.has(one))
}

/** Its beginning, and where it parts from the one that is most like it. */
function split(text: string, others: readonly string[]): string {
  const plain = (one: string) => one.replace(/"version_info":"[^"]*",?/, '')
  const own = plain(text)
  const until = (one: string): number => {
    let at = 0
    while (at < own.length && own[at] === one[at]) at++
    return at
  }
  const at = Math.max(0, ...others.map((one) => until(plain(one))))
  return `${text.slice(0, 80)} … ${own.slice(Math.max(0, at - 100), at + 200)}`
}

/** @returns the memory of both programs, at most, in the middle third and in the last */
async function changed(random: RandomChanges, site: IngressSite, ms: number, note: (text: string) => void) {
  const began = performance.now()
  const seen: { readonly at: number; readonly serve: number; readonly Envoy: number }[] = []
  const open = new Set<Promise<void>>()
  const failures: unknown[] = []
  for (let count = 0; performance.now() - began < ms; count++) {
    const one: Promise<void> = random
      .make()
      .catch((error: unknown) => void failures.push(error))
      .finally(() => open.delete(one))
    open.add(one)
    if (failures.length > 0) throw failures[0]
    const at = performance.now() - began
    if (count % perSecond === 0) {
      seen.push({ at, serve: site.serve.memory().now, Envoy: site.envoy.memory().now })
      note(`${Math.round(at / 1000)} of ${ms / 1000} s, ${random.done} changes`)
    }
    await sleep(Math.max(0, (count * 1000) / perSecond - at))
  }
  await Promise.all(open)
  return (['serve', 'Envoy'] as const).map((of) => {
    const most = (from: number, to: number) =>
      Math.max(...seen.filter(({ at }) => at >= from * ms && at < to * ms).map((one) => one[of]))
    return { of, early: most(1 / 3, 2 / 3), late: most(2 / 3, 1) }
  })
}
