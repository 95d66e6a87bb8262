/**
 * `burst`: a thousand hosts come at once where there are a thousand. All serve soon after the last of them was created,
 * all get their status, and one more in the midst of that waits for neither.
 */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectMeta, type RawObject, Reflector, type ResourceType } from '@landfall/kube'
import type { KubeObject } from '@landfall/kube/model'
import { silentLogger } from '@landfall/telemetry'
import { each, hostOf, names, namespace, proxyObject } from '../../ingress/objects.ts'
import { ok, Prober } from '../../ingress/prober.ts'
import { startSite } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { limited, type Part } from './part.ts'

const hosts = 1000
const limits = { served: 1000, statuses: 10_000, oneMore: 100 } as const
const lookers = 16

interface Seen extends KubeObject {
  readonly valid: boolean
}

const seenType: ResourceType<Seen> = {
  apiVersion: 'projectcontour.io/v1',
  kind: 'HTTPProxy',
  plural: 'httpproxies',
  namespaced: true,
  project: (raw: RawObject & { readonly status?: { readonly currentStatus?: string } }) => ({
    meta: projectMeta(raw),
    valid: raw.status?.currentStatus === 'valid',
  }),
}

export const burst: Part = {
  about: `${hosts} HTTPProxies at once`,
  run: async (o) => {
    await repeat(o, 'burst', `${hosts} at once`, o.times ?? 3, trial)
  },
}

async function trial(note: Parameters<Trial>[0]): ReturnType<Trial> {
  const site = await startSite(names('h', hosts), note)
  const statuses = watchStatuses(site)
  const ticker = startTicker()
  try {
    const all = names('b', hosts)
    await site.objects.createServices([...all, 'one-more'])
    await statuses.started
    await sleep(2000)
    note('the burst')
    ticker.take()
    const began = performance.now()
    await each(all, (name) => site.objects.create('proxy', proxyObject(name)))
    const created = performance.now()
    const [more, served] = await Promise.all([oneMore(site), allServe(site, all)])
    const lateMs = ticker.take()
    const told = await statuses.all(new Set(all))
    return {
      gapMs: served - created,
      limits: { median: limits.served, worst: limits.served },
      figures: {
        'max created in (ms)': created - began,
        'max all statuses after (ms)': told - created,
        'max one more after (ms)': more,
      },
      complaints: [],
      ofTimes: [
        ...limited('all have a status', told - created, limits.statuses),
        ...limited('one more serves', more, limits.oneMore),
      ],
      lateMs,
    }
  } finally {
    ticker.stop()
    statuses.stop()
    await site.stop()
  }
}

async function oneMore(site: IngressSite): Promise<number> {
  const prober = new Prober(site.entry(false), hostOf('one-more'))
  await site.objects.create('proxy', proxyObject('one-more'))
  const created = performance.now()
  const served = await prober.until('/', ok)
  prober.close()
  return served - created
}

/** @returns performance.now() of the last first answer */
async function allServe(site: IngressSite, all: readonly string[]): Promise<number> {
  const left = all.values()
  const agent = new Agent({ keepAlive: true, maxSockets: lookers })
  let last = 0
  const look = async () => {
    for (const name of left) {
      const prober = new Prober(site.entry(false), hostOf(name), agent)
      last = Math.max(last, await prober.until('/', ok))
    }
  }
  await Promise.all(Array.from({ length: lookers }, look))
  agent.destroy()
  return last
}

export function watchStatuses(site: IngressSite) {
  const valid = new Map<string, number>()
  const reflector = new Reflector({
    cluster: site.server.cluster(),
    type: seenType,
    namespace,
    logger: silentLogger(),
    onChange: (changes) => {
      for (const { after } of changes)
        if (after?.valid === true && !valid.has(after.meta.name))
          valid.set(after.meta.name, performance.now())
    },
  })
  reflector.start()
  return {
    started: reflector.synced,
    stop: () => reflector.stop(),
    /** @returns performance.now() when the last of them was seen */
    all: async (wanted: ReadonlySet<string>, pauseMs = 20): Promise<number> => {
      const end = performance.now() + 120_000
      while (![...wanted].every((name) => valid.has(name))) {
        if (performance.now() > end) throw new Error('not all have a status after 120 s')
        await sleep(pauseMs)
      }
      return Math.max(...[...wanted].map((name) => valid.get(name) ?? 0))
    },
  }
}
