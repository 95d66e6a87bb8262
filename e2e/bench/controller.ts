/**
 * The controller at growing numbers of Services on a real API server: the time until all have an address, single
 * latencies with so many around, restarts, and what it costs in processor, memory and writes, with what the speakers of
 * three nodes report.
 */
import { basename, dirname } from 'node:path'
import { serviceType } from '@landfall/kube'
import { findBinaries } from '@landfall/kube/testing'
import type { ControllerProcess } from '../allocator/controller-process.ts'
import { reportServices, reportsEach } from '../allocator/reports.ts'
import { balancer, createServices, deleteServices, names, ServiceWatch } from '../allocator/services.ts'
import { AllocatorSite } from '../allocator/site.ts'
import { since, writeCounts } from '../allocator/write-counts.ts'
import { renderTable } from '../demo/table.ts'
import { startTicker } from '../drill/ticker.ts'

const sizes = [1000, 5000, 10_000] as const
const singles = 60
const deletions = 20
const restarts = 3

interface Figures {
  readonly size: number
  /** Until the last of all that were created at once has its address; and since the last was created. */
  readonly allMs: number
  readonly restMs: number
  /** From the request to create one to its address. */
  readonly singlesMs: readonly number[]
  /** In a full pool: from the request to delete one to the address of one that waits. */
  readonly nextMs: readonly number[]
  /** From the start of the process to the address of a Service that is new. */
  readonly restartsMs: readonly number[]
  /** Until addresses and Events are written; and from then on, while the speakers of three nodes report. */
  readonly cpuSeconds: number
  readonly reportsCpuSeconds: number
  readonly peakMiB: number
  readonly restartPeakMiB: number
  readonly statusWrites: number
  readonly eventWrites: number
  readonly otherWrites: number
  /** Writes to Services by restarted controllers. */
  readonly restartWrites: number
  readonly lateMs: number
}

export async function benchController(only: readonly number[] = sizes): Promise<void> {
  process.stdout.write(
    `\non a real API server: ${versions()}; ${reportsEach} reports of each Service, from three nodes\n\n`,
  )
  const rows: Figures[] = []
  for (const size of only) {
    rows.push(await measure(size))
    process.stderr.write(`${size} Services measured\n`)
  }
  process.stdout.write(`${costTable(rows)}\n${latencyTable(rows)}`)
}

async function measure(size: number): Promise<Figures> {
  const site = await AllocatorSite.start({ a: range(10, size), z: range(11, singles) })
  const watch = new ServiceWatch(site.cluster)
  const ticker = startTicker()
  try {
    await watch.start()
    const bulk = await bulkCreation(site, watch, size)
    const singlesMs = await singleCreations(site, watch)
    const nextMs = await nextAddresses(site, watch)
    const peakMiB = bulk.controller.memory().peak
    await bulk.controller.end('SIGTERM')
    const restarted = await restartTimes(site, watch)
    const lateMs = ticker.take()
    return { size, ...bulk.figures, singlesMs, nextMs, peakMiB, ...restarted, lateMs }
  } finally {
    ticker.stop()
    watch.stop()
    await site.stop()
  }
}

async function bulkCreation(site: AllocatorSite, watch: ServiceWatch, size: number) {
  const controller = await ready(site, 'first')
  const before = await writeCounts(site.cluster)
  const cpuBefore = controller.cpuSeconds()
  const started = performance.now()
  await createServices(site.cluster, names('s', size))
  const created = performance.now()
  await watch.count(size, 600_000)
  const ended = performance.now()
  await quiet(site)
  const cpuSeconds = controller.cpuSeconds() - cpuBefore
  await reportServices(site.cluster, names('s', size))
  await quiet(site)
  const after = await writeCounts(site.cluster)
  const count = (pick: (name: string) => boolean) => since(before, after, pick) / size
  const others = / (ipaddresspools|configurationstates|leases)/
  return {
    controller,
    figures: {
      allMs: ended - started,
      restMs: ended - created,
      cpuSeconds,
      reportsCpuSeconds: controller.cpuSeconds() - cpuBefore - cpuSeconds,
      statusWrites: count((name) => name.endsWith(' services/status')),
      eventWrites: count((name) => name.endsWith(' events')),
      otherWrites: count((name) => others.test(name)),
    },
  }
}

/** One after the other; the pools are full afterwards. */
async function singleCreations(site: AllocatorSite, watch: ServiceWatch): Promise<readonly number[]> {
  const latencies: number[] = []
  for (const name of names('t', singles)) {
    const started = performance.now()
    await site.cluster.create(serviceType, balancer(name))
    latencies.push((await watch.addressed(name)) - started)
    await pause(20)
  }
  return latencies
}

async function nextAddresses(site: AllocatorSite, watch: ServiceWatch): Promise<readonly number[]> {
  const latencies: number[] = []
  for (const [index, name] of names('w', deletions).entries()) {
    await site.cluster.create(serviceType, balancer(name))
    await pause(150)
    const victim = names('s', deletions)[index] ?? ''
    const started = performance.now()
    const addressed = watch.addressed(name)
    await deleteServices(site.cluster, [victim])
    latencies.push((await addressed) - started)
  }
  return latencies
}

/** Each time one is deleted and one created while there is no controller. */
async function restartTimes(site: AllocatorSite, watch: ServiceWatch) {
  const restartsMs: number[] = []
  let restartPeakMiB = 0
  const before = await writeCounts(site.cluster)
  for (const [index, name] of names('r', restarts).entries()) {
    await deleteServices(site.cluster, names('t', restarts).slice(index, index + 1))
    await site.cluster.create(serviceType, balancer(name))
    const addressed = watch.addressed(name)
    const controller = await site.startController(`again-${index}`)
    restartsMs.push((await addressed) - controller.startedAt)
    await pause(2000)
    restartPeakMiB = Math.max(restartPeakMiB, controller.memory().peak)
    await controller.end('SIGTERM')
  }
  const after = await writeCounts(site.cluster)
  const restartWrites = since(before, after, (name) => name.endsWith(' services/status'))
  return { restartsMs, restartPeakMiB, restartWrites }
}

async function ready(site: AllocatorSite, name: string): Promise<ControllerProcess> {
  const controller = await site.startController(name)
  while (!(controller.said('stateSynced').length > 0)) {
    if (!controller.alive) throw new Error('the controller ended')
    await pause(50)
  }
  return controller
}

/** Until no more events are written: they come after the addresses. */
async function quiet(site: AllocatorSite): Promise<void> {
  for (let last = -1; ; ) {
    const now = since(new Map(), await writeCounts(site.cluster), (name) => !name.endsWith(' leases'))
    if (now === last) return
    last = now
    await pause(1500)
  }
}

function costTable(rows: readonly Figures[]): string {
  const head = [
    'SERVICES',
    'ALL ADDRESSED',
    'AFTER LAST',
    'CPU',
    'CPU OF REPORTS',
    'PEAK',
    'PEAK AFTER RESTART',
    'WRITES EACH: STATUS',
    'EVENTS',
    'OTHER',
  ]
  return renderTable([
    head,
    ...rows.map((row) => [
      String(row.size),
      `${(row.allMs / 1000).toFixed(1)} s`,
      ms(row.restMs),
      `${row.cpuSeconds.toFixed(1)} s`,
      `${row.reportsCpuSeconds.toFixed(1)} s`,
      `${row.peakMiB.toFixed(1)} MiB`,
      `${row.restartPeakMiB.toFixed(1)} MiB`,
      row.statusWrites.toFixed(3),
      row.eventWrites.toFixed(3),
      row.otherWrites.toFixed(3),
    ]),
  ])
}

function latencyTable(rows: readonly Figures[]): string {
  const head = [
    'SERVICES',
    'NEW P50',
    'P99',
    'AFTER A DELETION P50',
    'MOST',
    'AFTER A RESTART BEST',
    'MOST',
    'WRITES',
    'OWN DELAY',
  ]
  return renderTable([
    head,
    ...rows.map((row) => [
      String(row.size),
      ms(quantile(row.singlesMs, 0.5)),
      ms(quantile(row.singlesMs, 0.99)),
      ms(quantile(row.nextMs, 0.5)),
      ms(Math.max(...row.nextMs)),
      ms(Math.min(...row.restartsMs)),
      ms(Math.max(...row.restartsMs)),
      String(row.restartWrites),
      ms(row.lateMs),
    ]),
  ])
}

function versions(): string {
  const binaries = findBinaries()
  if (typeof binaries === 'string') throw new Error(binaries)
  const version = (path: string) => basename(dirname(path))
  return `kube-apiserver ${version(binaries.apiServer)}, etcd ${version(binaries.etcd)}`
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** `10.0.0.0-10.0.3.231`: as many addresses as that. */
function range(first: number, count: number): string {
  const last = count - 1
  return `${first}.0.0.0-${first}.${last >> 16}.${(last >> 8) & 255}.${last & 255}`
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
