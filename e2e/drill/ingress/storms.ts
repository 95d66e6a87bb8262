/**
 * `storms`: a hundred Envoys of our own on one replica hear of a change of endpoints; a thousand come back at once. They
 * are one process on the same machine, which does as much work as the replica: its share is told.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { names, namespace, sliceObject } from '../../ingress/objects.ts'
import { podAddress } from '../../ingress/own-network.ts'
import { startSite } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { threadsCpuMs } from '../../nodeless/process-usage.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { Followers } from './followers.ts'
import type { Part } from './part.ts'

const reach = { envoys: 100, hosts: 1000, changes: 20, limitMs: 100 } as const
const back = { envoys: 1000, hosts: 200 } as const
const lookMs = 10

export const storms: Part = {
  about: 'many Envoys on one replica',
  run: async (o) => {
    await repeat(o, 'storms', `a change reaches ${reach.envoys} Envoys`, o.times ?? 3, reaching)
    await repeat(o, 'storms', `${back.envoys} Envoys come back at once`, o.times ?? 3, returning)
  },
}

async function reaching(note: Parameters<Trial>[0]): ReturnType<Trial> {
  const [site, followers] = await withFollowers(reach.envoys, reach.hosts, note)
  const ticker = startTicker()
  try {
    const times: number[] = []
    const cpu = { serve: threadsCpuMs(site.serve.pid), followers: followers.cpuMs() }
    for (let n = 0; n < reach.changes; n++) {
      const { reached } = await followers.await(`${namespace}/${changed}`)
      await sleep(100)
      await site.objects.replace('slice', sliceObject(changed, [{ ip: podAddress(1 + n) }]))
      const answered = now()
      times.push((await reached).at - answered)
    }
    const worst = Math.max(...times)
    return {
      gapMs: worst,
      limits: { median: reach.limitMs, worst: reach.limitMs },
      figures: {
        changes: times.length,
        'max CPU of serve (ms)': threadsCpuMs(site.serve.pid) - cpu.serve,
        'max CPU of the Envoys (ms)': followers.cpuMs() - cpu.followers,
        'max RSS of serve (MiB)': site.serve.memory().now,
      },
      complaints: [],
      lateMs: ticker.take(),
    }
  } finally {
    ticker.stop()
    followers.end()
    await site.stop()
  }
}

async function returning(note: Parameters<Trial>[0]): ReturnType<Trial> {
  const [site, followers] = await withFollowers(back.envoys, back.hosts, note)
  const delay = watchDelay(site)
  const ticker = startTicker()
  try {
    const rss = site.serve.memory().now
    const { reached } = await followers.await(`${namespace}/${changed}`)
    const cpu = { serve: threadsCpuMs(site.serve.pid), followers: followers.cpuMs() }
    delay.take()
    const { at, broken } = await followers.reopen()
    await site.objects.replace('slice', sliceObject(changed, [{ ip: podAddress(1) }]))
    const end = await reached
    return {
      figures: {
        'max all are served after (ms)': end.at - at,
        'streams broken': end.broken - broken,
        'max event loop held up (ms)': delay.take(),
        'max CPU of serve (ms)': threadsCpuMs(site.serve.pid) - cpu.serve,
        'max CPU of the Envoys (ms)': followers.cpuMs() - cpu.followers,
        'max RSS before (MiB)': rss,
        'max RSS at most (MiB)': site.serve.memory().peak,
      },
      complaints: [],
      lateMs: ticker.take(),
    }
  } finally {
    ticker.stop()
    delay.stop()
    followers.end()
    await site.stop()
  }
}

const [changed = ''] = names('h', 1)

async function withFollowers(
  envoys: number,
  hosts: number,
  note: (text: string) => void,
): Promise<readonly [IngressSite, Followers]> {
  const site = await startSite(names('h', hosts), note)
  const followers = new Followers(site)
  try {
    note(`${envoys} Envoys come`)
    await followers.open(envoys, hosts)
    await sleep(2000)
    return [site, followers]
  } catch (error) {
    followers.end()
    await site.stop()
    throw error
  }
}

/** How long serve took at worst to answer a question that takes no time. */
function watchDelay(site: IngressSite) {
  const url = `http://127.0.0.1:${site.ports.metrics}/healthz`
  const stop = new AbortController()
  let worst = 0
  const look = async () => {
    while (!stop.signal.aborted) {
      const asked = performance.now()
      await fetch(url).catch(() => undefined)
      worst = Math.max(worst, performance.now() - asked)
      await sleep(lookMs)
    }
  }
  void look()
  return {
    take: () => {
      const taken = worst
      worst = 0
      return taken
    },
    stop: () => stop.abort(),
  }
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
