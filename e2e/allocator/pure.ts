/** The pure allocator with growing numbers of Services and of pools: the time of each allocation, of a restart, of the next address. */
import type { Service } from '@landfall/kube/model'
import { Allocator, type BalancedService } from '@landfall/lb/allocation'
import { buildConfig, type Config } from '@landfall/metallb'

export const sizes = [1000, 5000, 10_000, 50_000] as const
export const rounds = 3

/** In milliseconds. */
interface Figures {
  readonly allocate: number
  readonly restart: number
  readonly next: number
}

/**
 * How many times as long an allocation takes with 50,000 Services as with 1,000: as many allocations of each, in turns,
 * so that collections and what others do on the machine count for both.
 */
export function allocationGrowth(): number {
  const most = sizes.at(-1) ?? 0
  const round = (size: number) => {
    const all = Array.from({ length: most / size }, () => measure(size, configOf(['10.0.0.0/8'])).allocate)
    return all.reduce((sum, one) => sum + one, 0) / all.length
  }
  const turns = Array.from({ length: rounds }, () => [round(sizes[0]), round(most)] as const)
  return Math.min(...turns.map(([, many]) => many)) / Math.min(...turns.map(([few]) => few))
}

/** As many Services as there are entries, which are single addresses; at least 1,000, from one entry. */
export function measurePools(
  pools: number,
  entries: number,
): { readonly allocate: number; readonly build: number } {
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
export function best(size: number): Figures {
  const all = Array.from({ length: rounds }, () => measure(size, configOf(['10.0.0.0/8'])))
  const least = (figure: keyof Figures) => Math.min(...all.map((one) => one[figure]))
  return { allocate: least('allocate'), restart: least('restart'), next: least('next') }
}

export function measure(size: number, config: Config): Figures {
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
export function configOf(...lists: readonly (readonly string[])[]): Config {
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
