/**
 * The pure allocator at growing numbers of Services: time for each allocation one by one, for a restart that adopts all
 * statuses in one batch, and for the next address after one deletion when the pool is full. Then at growing numbers of
 * pools and of their entries, down to the last free address: time for each allocation, and for building the
 * configuration.
 */
import type { Service } from '@landfall/kube/model'
import { Allocator, type BalancedService } from '@landfall/lb/allocation'
import { buildConfig, type Config } from '@landfall/metallb'

const sizes = [1000, 5000, 10_000, 50_000] as const
/** Pools and the entries of each. */
const shapes = [
  [1, 1],
  [1, 1000],
  [1, 10_000],
  [100, 10],
  [1000, 1],
] as const
const rounds = 3

interface Figures {
  readonly allocate: number
  readonly restart: number
  readonly next: number
}

export function benchAllocator(): void {
  measure(1000, configOf(['10.0.0.0/8']))
  benchServices()
  process.stdout.write('\n')
  benchPools()
}

function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell) => cell.padStart(16)).join('')}\n`)
}

function benchServices(): void {
  print(['Services', 'µs/allocation', 'of 1k', 'ms/restart', 'ms/next address'])
  let first: number | undefined
  for (const size of sizes) {
    const { allocate, restart, next } = best(size)
    first ??= allocate
    print([
      String(size),
      (allocate * 1000).toFixed(1),
      `${(allocate / first).toFixed(2)} ×`,
      restart.toFixed(0),
      next.toFixed(3),
    ])
  }
}

function benchPools(): void {
  print(['Pools', 'entries of each', 'µs/allocation', 'ms/buildConfig'])
  for (const [pools, entries] of shapes) {
    const all = Array.from({ length: rounds }, () => measurePools(pools, entries))
    const allocate = Math.min(...all.map((one) => one.allocate))
    const build = Math.min(...all.map((one) => one.build))
    print([String(pools), String(entries), (allocate * 1000).toFixed(1), build.toFixed(1)])
  }
}

/** As many Services as there are entries, which are single addresses; at least 1,000, from one entry. */
function measurePools(pools: number, entries: number): { readonly allocate: number; readonly build: number } {
  const size = Math.max(1000, pools * entries)
  const lists = Array.from({ length: pools }, (_, pool) =>
    entries === 1 && pools === 1
      ? ['10.0.0.0/8']
      : Array.from({ length: entries }, (_, entry) => `${addressOf(2 * (pool * entries + entry))}/32`),
  )
  let config: Config | undefined
  const build = timed(() => {
    config = configOf(...lists)
  })
  const allocator = new Allocator()
  if (config !== undefined) allocator.apply({ config, changed: [], gone: [] })
  const services = Array.from({ length: size }, (_, index) => serviceOf(index))
  const allocate = timed(() => {
    for (const service of services) allocator.apply({ changed: [service], gone: [] })
  })
  if (allocator.holders !== size) throw new Error(`${allocator.holders} of ${size} Services have an address`)
  return { allocate: allocate / size, build }
}

/** The least of some rounds: what others on the machine did is not ours. */
function best(size: number): Figures {
  const all = Array.from({ length: rounds }, () => measure(size, configOf(['10.0.0.0/8'])))
  const least = (figure: keyof Figures) => Math.min(...all.map((one) => one[figure]))
  return { allocate: least('allocate'), restart: least('restart'), next: least('next') }
}

function measure(size: number, config: Config): Figures {
  const services = Array.from({ length: size }, (_, index) => serviceOf(index))
  const allocator = new Allocator()
  allocator.apply({ config, changed: [], gone: [] })
  const allocate = timed(() => {
    for (const service of services) allocator.apply({ changed: [service], gone: [] })
  })
  const adopted = services.map((service, index) => ({ ...service, ingress: [{ ip: addressOf(index) }] }))
  const restart = timed(() => new Allocator().apply({ config, changed: adopted, gone: [] }))
  return { allocate: allocate / size, restart, next: nextAddress(adopted) }
}

/** A full pool, one Service that waits, and one of the others deleted. */
function nextAddress(services: readonly BalancedService[]): number {
  const full = new Allocator()
  const config = configOf([`10.0.0.0-${addressOf(services.length - 1)}`])
  full.apply({ config, changed: [...services, serviceOf(services.length)], gone: [] })
  const gone = [`default/${nameOf(Math.floor(services.length / 2))}`]
  let decided = 0
  const took = timed(() => {
    decided = full.apply({ changed: [], gone }).length
  })
  if (decided !== 1) throw new Error(`${decided} Services were decided on after one deletion, not 1`)
  return took
}

function timed(work: () => unknown): number {
  const started = performance.now()
  work()
  return performance.now() - started
}

/** A pool of each list. */
function configOf(...lists: readonly (readonly string[])[]): Config {
  const none = {
    l2Advertisements: [],
    bgpAdvertisements: [],
    peers: [],
    bfdProfiles: [],
    communities: [],
    nodes: [],
    namespaces: [],
    secrets: [],
  }
  const pools = lists.map((addresses, index) => ({
    meta: { ...serviceOf(0).meta, namespace: 'metallb-system', name: `p${nameOf(index)}` },
    spec: { addresses },
  }))
  return buildConfig({ namespace: 'metallb-system', pools, ...none }).config
}

function nameOf(index: number): string {
  return `s${String(index).padStart(6, '0')}`
}

function addressOf(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
}

function serviceOf(index: number): BalancedService {
  const service: Service = {
    meta: {
      namespace: 'default',
      name: nameOf(index),
      uid: `uid-${index}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {},
      annotations: {},
      deleting: false,
    },
    type: 'LoadBalancer',
    loadBalancerClass: '',
    loadBalancerIP: '',
    clusterIPs: ['10.96.0.1'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    externalTrafficPolicy: 'Cluster',
    externalName: '',
    selector: {},
    ports: [{ name: '', protocol: 'TCP', port: 80, targetPort: 80, nodePort: 0, appProtocol: '' }],
    ingress: [],
  }
  return { ...service, allocated: undefined }
}
