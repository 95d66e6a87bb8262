/**
 * `statuses`: among a thousand hosts, how soon an HTTPProxy that was just created has its status, and a thousand that come
 * at once; and what serve holds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { each, names, proxyObject } from '../../ingress/objects.ts'
import { quiet, startSite } from '../../ingress/running-site.ts'
import { median } from '../drill.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { watchStatuses } from './burst.ts'
import { limited, type Part } from './part.ts'

const hosts = 1000
const created = 100
const pauseMs = 50
/** Of times in ms; `aboveRequest`: more than a request to the API server takes. */
const limits = { status: 1000, aboveRequest: 100, atOnce: 15_000, memoryMiB: 150 } as const

export const statuses: Part = {
  about: `one more status among ${hosts} HTTPProxies, ${hosts} at once, and the memory of serve`,
  run: async (o) => {
    const what = `${created} one by one among ${hosts}, then ${hosts} at once`
    await repeat(o, 'statuses', what, o.times ?? 1, trial)
  },
}

async function trial(note: Parameters<Trial>[0]): ReturnType<Trial> {
  const site = await startSite(names('h', hosts), note)
  const watch = watchStatuses(site)
  const ticker = startTicker()
  try {
    const memory = site.serve.memory()
    const all = names('s', created)
    await site.objects.createServices(all)
    await watch.started
    await quiet(site)
    note('one by one')
    ticker.take()
    const [took, requests]: [number[], number[]] = [[], []]
    for (const name of all) {
      const asked = performance.now()
      await site.objects.create('proxy', proxyObject(name))
      const answered = performance.now()
      took.push((await watch.all(new Set([name]), 1)) - answered)
      requests.push(answered - asked)
      await sleep(pauseMs)
    }
    const lateMs = ticker.take()
    const [middle, request] = [median(took), median(requests)]
    const many = names('m', hosts)
    await site.objects.createServices(many)
    await quiet(site)
    note('at once')
    const began = performance.now()
    await each(many, (name) => site.objects.create('proxy', proxyObject(name)))
    const createdMs = performance.now() - began
    const atOnce = (await watch.all(new Set(many))) - began
    return {
      figures: {
        'max median (ms)': middle,
        'max longest (ms)': Math.max(...took),
        'max median of a request to the API (ms)': request,
        'max all at once after (ms)': atOnce,
        'max of that created in (ms)': createdMs,
        'max RSS of serve (MiB)': memory.now,
        'max RSS of serve at most (MiB)': memory.peak,
      },
      complaints: [
        ...limited('the median of the statuses', middle, limits.status),
        ...limited('beyond a request to the API, it', middle - request, limits.aboveRequest),
        ...limited(`${hosts} at once have statuses`, atOnce, limits.atOnce),
        ...(memory.now > limits.memoryMiB ? [`serve holds ${memory.now} MiB`] : []),
      ],
      lateMs,
    }
  } finally {
    ticker.stop()
    watch.stop()
    await site.stop()
  }
}
