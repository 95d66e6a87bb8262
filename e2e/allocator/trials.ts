/**
 * What may befall the controller while it gives addresses: its leader killed, the API server restarted or away, a swap
 * in place of MetalLB's controller. Each trial runs on a site of its own, and counts; times are there to be judged by a
 * drill.
 */
import { serviceType } from '@landfall/kube'
import type { LimitedGroup } from '../cgroup/limited-group.ts'
import type { ControllerProcess } from './controller-process.ts'
import { forgetReports, reportServices } from './reports.ts'
import { balancer, createServices, deleteServices, each, names, namespace, ServiceWatch } from './services.ts'
import { AllocatorSite } from './site.ts'
import { since, writeCounts } from './write-counts.ts'

const settleMs = 180_000

export interface Measured {
  /** Resident at most of any controller. */
  readonly peakMiB: number
}

export interface BulkResult extends Measured {
  readonly wanted: number
  readonly addressed: number
  /** Services that have an address which another has too. */
  readonly shared: readonly string[]
  readonly tookMs: number
}

export type Blow = 'leader killed' | 'leader frozen' | 'API server restarted'

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
    } else if (blow === 'leader frozen') {
      const creating = createServices(site.cluster, rest)
      leader.freeze()
      await creating
    } else {
      await Promise.all([restartApiServer(site), createPatiently(site, rest)])
    }
    await watch.count(count, settleMs).catch(() => {})
    const tookMs = performance.now() - started
    // What it was about to write when it fell asleep.
    if (blow === 'leader frozen') leader.thaw()
    await pause(blow === 'leader frozen' ? 5000 : 1000)
    const addressed = watch.withAddress().length
    return { wanted: count, addressed, shared: watch.shared(), tookMs, peakMiB: peakOf(site) }
  })
}

/**
 * The API server away, some times in a row; each time a Service is created as soon as it is ready again.
 * @returns for each, from the first good answer of `/readyz` to the address
 */
export async function outages(
  times: number,
  awayMs: number,
): Promise<Measured & { readonly latencies: readonly number[] }> {
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
    return { latencies, peakMiB: peakOf(site) }
  })
}

/** @returns status writes by the first controller of ours, and by the second, for each Service that MetalLB's served */
export async function swap(
  count: number,
): Promise<Measured & { readonly first: number; readonly second: number }> {
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
    const [first, second] = [await writesOf('first'), await writesOf('second')]
    return { first, second, peakMiB: peakOf(site) }
  })
}

const tiny = 'tiny'

export interface LifeResult {
  readonly peaksMiB: readonly number[]
  readonly kills: number
  readonly alive: boolean
  /** Status and Events, by the controller, for each Service. */
  readonly writesEach: number
  /** From the request to delete a Service to the address of the one that waits for its. */
  readonly nextMs: readonly number[]
  /** From the start of a controller, outside the group, to the address of a Service that is new. */
  readonly restartsMs: readonly number[]
}

const deletions = 5
const restarts = 3

/** Created, announced by three nodes, restarted and deleted, within so much memory; restarts are timed without the limit. */
export async function lifeWithin(group: LimitedGroup, count: number): Promise<LifeResult> {
  return await onSite({ pool: '10.0.0.0/16', [tiny]: '10.1.0.0/32' }, async (site, watch) => {
    const first = await site.startController('first', group)
    await leaderOf([first])
    const before = await writeCounts(site.cluster)
    await createServices(site.cluster, names('s', count))
    await watch.count(count, 600_000)
    await reportServices(site.cluster, names('s', count))
    await quiet(site)
    const after = await writeCounts(site.cluster)
    const writesEach = since(before, after, (name) => / (services\/status|events)$/.test(name)) / count
    const nextMs = await nextAddresses(site, watch)
    await first.scrape()
    const created = first.memory().peak
    await first.end('SIGTERM')
    const restartsMs = await restart(site, watch)
    const second = await site.startController('second', group)
    await leaderOf([second])
    await pause(4000)
    await second.scrape()
    const restarted = Math.max(...site.peaksMiB().slice(1))
    await deleteServices(site.cluster, names('s', count))
    await forgetReports(site.cluster, names('s', count))
    await quiet(site)
    const alive = second.alive && (await second.isReady())
    const peaksMiB = [created, restarted, second.memory().peak]
    await second.end('SIGTERM')
    return { peaksMiB, kills: group.kills(), alive, writesEach, nextMs, restartsMs }
  })
}

/** A pool of one address, of which each Service is relieved in turn by one that waits. */
async function nextAddresses(site: AllocatorSite, watch: ServiceWatch): Promise<readonly number[]> {
  const asks = (name: string) => {
    const { metadata, ...rest } = balancer(name)
    return { ...rest, metadata: { ...metadata, annotations: { 'metallb.io/address-pool': tiny } } }
  }
  const latencies: number[] = []
  let holder = 'only'
  const first = watch.addressed(holder)
  await site.cluster.create(serviceType, asks(holder))
  await first
  for (const name of names('next', deletions)) {
    await site.cluster.create(serviceType, asks(name))
    await pause(150)
    const started = performance.now()
    const addressed = watch.addressed(name)
    await deleteServices(site.cluster, [holder])
    latencies.push((await addressed) - started)
    holder = name
  }
  await deleteServices(site.cluster, [holder])
  return latencies
}

/** Not within the group: what a limit costs in time is the machine's. */
async function restart(site: AllocatorSite, watch: ServiceWatch): Promise<readonly number[]> {
  const restartsMs: number[] = []
  for (const name of names('r', restarts)) {
    await site.cluster.create(serviceType, balancer(name))
    const addressed = watch.addressed(name)
    const controller = await site.startController(`again-${name}`)
    restartsMs.push((await addressed) - controller.startedAt)
    await leaderOf([controller])
    await pause(4000)
    await controller.end('SIGTERM')
  }
  return restartsMs
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

function peakOf(site: AllocatorSite): number {
  return Math.max(...site.peaksMiB())
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
