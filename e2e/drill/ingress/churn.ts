/** `churn`: endpoints and routes change all the time; a new route is hardly later, and no other host loses a request. */
import { setTimeout as sleep } from 'node:timers/promises'
import { lossText, lostOf, startRequests } from '../../ingress/load.ts'
import { hostOf, names, proxyObject, sliceObject } from '../../ingress/objects.ts'
import { podAddress } from '../../ingress/own-network.ts'
import { ok, Prober } from '../../ingress/prober.ts'
import { startSite } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { median } from '../drill.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import type { Part } from './part.ts'

const hosts = 5000
/** They churn; the requests go to others. */
const churning = 500
const slicesPerSecond = 50
const routesPerSecond = 5
const requestsPerSecond = 500
const added = 40
const pauseMs = 150
/** Below that a difference of some milliseconds is not a doubling. */
const leastMs = 5

export const churn: Part = {
  about: 'endpoints and routes change all the time',
  run: async (o) => {
    const what = `${slicesPerSecond} endpoints and ${routesPerSecond} routes a second among ${hosts}`
    await repeat(o, 'churn', what, o.times ?? 3, trial)
  },
}

async function trial(note: Parameters<Trial>[0]): ReturnType<Trial> {
  const all = names('h', hosts)
  const site = await startSite(all, note)
  const ticker = startTicker()
  try {
    const fresh = names('a', 2 * added)
    await site.objects.createServices(fresh)
    await sleep(2000)
    note('at rest')
    const rest = median(await adds(site, fresh.slice(0, added)))
    note('under churn')
    const stop = new AbortController()
    const load = startRequests({
      port: site.ports.http,
      tls: false,
      hosts: all.slice(churning).map(hostOf),
      paths: ['/', '/app', '/version'],
      perSecond: requestsPerSecond,
      connections: 32,
      timeoutMs: 5000,
    })
    const changing = [
      steadily(slicesPerSecond, stop.signal, (n) =>
        site.objects.replace(
          'slice',
          sliceObject(all[n % churning] ?? '', [
            { ip: podAddress(n % churning) },
            { ip: podAddress(1 + (n % 7)) },
          ]),
        ),
      ),
      steadily(routesPerSecond, stop.signal, (n) =>
        site.objects.replace('proxy', proxyObject(all[n % churning] ?? '', { version: `churn ${n}` })),
      ),
    ]
    await sleep(3000)
    ticker.take()
    const under = median(await adds(site, fresh.slice(added)))
    const lateMs = ticker.take()
    stop.abort()
    const changed = await Promise.all(changing)
    const result = await load.stop()
    const lost = lostOf(result)
    return {
      figures: {
        'max a new route at rest (ms)': rest,
        'max under churn (ms)': under,
        'endpoint changes': changed[0] ?? 0,
        'route changes': changed[1] ?? 0,
        requests: result.sent,
        lost,
        'max longest answer (ms)': result.longestMs,
      },
      complaints: [
        ...(under > 2 * Math.max(rest, leastMs)
          ? [`a new route takes ${under.toFixed(1)} ms, more than twice ${rest.toFixed(1)} ms`]
          : []),
        ...(lost > 0 ? [`${lost} requests lost: ${lossText(result)}`] : []),
      ],
      lateMs,
    }
  } finally {
    ticker.stop()
    await site.stop()
  }
}

async function adds(site: IngressSite, all: readonly string[]): Promise<readonly number[]> {
  const latencies: number[] = []
  for (const name of all) {
    const prober = new Prober(site.entry(false), hostOf(name))
    await prober.ask('/')
    await site.objects.create('proxy', proxyObject(name))
    const created = performance.now()
    latencies.push((await prober.until('/', ok)) - created)
    prober.close()
    await sleep(pauseMs)
  }
  return latencies
}

/** @returns how many there were */
async function steadily(
  perSecond: number,
  signal: AbortSignal,
  work: (n: number) => Promise<void>,
): Promise<number> {
  const began = performance.now()
  let count = 0
  const open = new Set<Promise<void>>()
  while (!signal.aborted) {
    const one: Promise<void> = work(count++).finally(() => open.delete(one))
    open.add(one)
    await sleep(Math.max(0, began + (count * 1000) / perSecond - performance.now()))
  }
  await Promise.all(open)
  return count
}
