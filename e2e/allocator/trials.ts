/**
 * What may befall the controller while it gives addresses: its leader killed, the API server restarted or away, a swap
 * in place of MetalLB's controller. Each trial runs on a site of its own, and counts; times are there to be judged by a
 * drill.
 */
import { serviceType } from '@landfall/kube'
import type { ControllerProcess } from './controller-process.ts'
import type { MemoryGroup } from './memory-group.ts'
import { forgetReports, reportServices } from './reports.ts'
import { balancer, createServices, deleteServices, each, names, namespace, ServiceWatch } from './services.ts'
import { AllocatorSite } from './site.ts'
import { since, writeCounts } from './write-counts.ts'

const settleMs = 180_000

export interface BulkResult {
  readonly wanted: number
  readonly addressed: number
  /** Services that have an address which another has too. */
  readonly shared: readonly string[]
  readonly tookMs: number
}

export type Blow = 'leader killed' | 'API server restarted'

/** Two replicas, and a blow when half of the Services are created. */
export async function bulkUnder(blow: Blow, count: number): Promise<BulkResult> {
  return await onSite({ pool: '10.0.0.0/16' }, async (site, watch) => {
    const replicas = [await site.startController('one'), await site.startController('two')]
    const leader = await leaderOf(replicas)
    const all = names('s', count)
    const started = performance.now()
    await createServices(site.cluster, all.slice(0, count / 2))
    const rest = all.slice(count / 2)
    if (blow === 'leader killed') {
      await Promise.all([leader.end('SIGKILL'), createServices(site.cluster, rest)])
    } else {
      await Promise.all([restartApiServer(site), createPatiently(site, rest)])
    }
    await watch.count(count, settleMs).catch(() => {})
    const tookMs = performance.now() - started
    await pause(1000)
    return { wanted: count, addressed: watch.withAddress().length, shared: watch.shared(), tookMs }
  })
}

/**
 * The API server away, some times in a row; each time a Service is created as soon as it is ready again.
 * @returns for each, from the first good answer of `/readyz` to the address
 */
export async function outages(times: number, awayMs: number): Promise<readonly number[]> {
  return await onSite({ pool: '10.0.0.0/16' }, async (site, watch) => {
    await leaderOf([await site.startController('one'), await site.startController('two')])
    await createServices(site.cluster, names('s', 20))
    await watch.count(20, settleMs)
    const latencies: number[] = []
    for (const name of names('new', times)) {
      await site.server.killApiServer()
      await pause(awayMs)
      const back = site.server.startApiServer()
      const ready = await untilReady(site)
      const addressed = watch.addressed(name)
      await createPatiently(site, [name])
      latencies.push((await addressed) - ready)
      await back
    }
    return latencies
  })
}

/** @returns status writes by the first controller of ours, and by the second, for each Service that MetalLB's served */
export async function swap(count: number): Promise<{ readonly first: number; readonly second: number }> {
  return await onSite({ pool: '10.0.0.0/16' }, async (site) => {
    await createServices(site.cluster, names('s', count))
    await each([...names('s', count).entries()], async ([index, name]) => {
      const raw = await site.cluster.get(serviceType, `${namespace}/${name}`)
      const ip = `10.0.${index >> 8}.${index & 255}`
      await site.cluster.update(
        serviceType,
        { ...raw, status: { loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } } },
        'status',
      )
    })
    const writesOf = async (name: string) => {
      const before = await writeCounts(site.cluster)
      const controller = await site.startController(name)
      await leaderOf([controller])
      await quiet(site)
      await controller.end('SIGTERM')
      const after = await writeCounts(site.cluster)
      return since(before, after, (write) => write.endsWith(' services/status')) / count
    }
    return { first: await writesOf('first'), second: await writesOf('second') }
  })
}

export interface LifeResult {
  readonly peaksMiB: readonly number[]
  readonly kills: number
  readonly alive: boolean
  /** Status and Events, by the controller, for each Service. */
  readonly writesEach: number
}

/** Created, announced by three nodes, restarted and deleted, within so much memory. */
export async function lifeWithin(group: MemoryGroup, count: number): Promise<LifeResult> {
  return await onSite({ pool: '10.0.0.0/16' }, async (site, watch) => {
    const first = await site.startController('first', group)
    await leaderOf([first])
    const before = await writeCounts(site.cluster)
    await createServices(site.cluster, names('s', count))
    await watch.count(count, 600_000)
    await reportServices(site.cluster, names('s', count))
    await quiet(site)
    const after = await writeCounts(site.cluster)
    const writesEach = since(before, after, (name) => / (services\/status|events)$/.test(name)) / count
    const created = first.memory().peak
    await first.end('SIGTERM')
    const second = await site.startController('second', group)
    await leaderOf([second])
    await pause(2000)
    const restarted = second.memory().peak
    await deleteServices(site.cluster, names('s', count))
    await forgetReports(site.cluster, names('s', count))
    await quiet(site)
    const alive = second.alive && (await second.isReady())
    const peaksMiB = [created, restarted, second.memory().peak]
    await second.end('SIGTERM')
    return { peaksMiB, kills: group.kills(), alive, writesEach }
  })
}

async function onSite<T>(
  pools: Readonly<Record<string, string>>,
  work: (site: AllocatorSite, watch: ServiceWatch) => Promise<T>,
): Promise<T> {
  const site = await AllocatorSite.start(pools)
  const watch = new ServiceWatch(site.cluster)
  try {
    await watch.start()
    return await work(site, watch)
  } finally {
    watch.stop()
    await site.stop()
  }
}

/** Once its first decisions are made. */
async function leaderOf(replicas: readonly ControllerProcess[]): Promise<ControllerProcess> {
  const end = performance.now() + settleMs
  for (;;) {
    const leader = replicas.find((one) => one.said('stateSynced').length > 0)
    if (leader !== undefined) return leader
    if (performance.now() > end) throw new Error('nobody leads')
    await pause(50)
  }
}

async function restartApiServer(site: AllocatorSite): Promise<void> {
  await pause(200)
  await site.server.killApiServer()
  await site.server.startApiServer()
}

/** Whatever is away meanwhile; a Service that is there already is as good. */
async function createPatiently(site: AllocatorSite, wanted: readonly string[]): Promise<void> {
  await each(wanted, async (name) => {
    const end = performance.now() + settleMs
    for (;;) {
      try {
        await site.cluster.create(serviceType, balancer(name))
        return
      } catch (error) {
        const exists = await site.cluster.get(serviceType, `${namespace}/${name}`).catch(() => undefined)
        if (exists !== undefined) return
        if (performance.now() > end) throw error
      }
      await pause(50)
    }
  })
}

/** When `/readyz` is good first, by performance.now(). */
async function untilReady(site: AllocatorSite): Promise<number> {
  const end = performance.now() + settleMs
  while (performance.now() < end) {
    const signal = AbortSignal.timeout(1000)
    try {
      const answer = await site.cluster.open({ method: 'GET', path: '/readyz', signal })
      answer.resume()
      return performance.now()
    } catch {
      await pause(20)
    }
  }
  throw new Error('the API server is not ready')
}

/** Until nobody but the leases is written to. */
async function quiet(site: AllocatorSite): Promise<void> {
  for (let last = -1; ; ) {
    const now = since(new Map(), await writeCounts(site.cluster), (name) => !name.endsWith(' leases'))
    if (now === last) return
    last = now
    await pause(1500)
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
