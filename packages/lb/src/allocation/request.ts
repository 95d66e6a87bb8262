/**
 * What a Service asks of the allocator: the fields of a Service that decide its addresses, read once. Annotations
 * are read under `metallb.io/`, and under `metallb.universe.tf/` where the former is absent.
 */
import { type Key, keyOf, type Service } from '@landfall/kube/model'
import { allocatedFromPool } from '@landfall/metallb'
import { type Family, formatIP, type IP, parseIP, unmapIP } from '@landfall/netip'

const prefix = 'metallb.io/'
const olderPrefix = 'metallb.universe.tf/'

/** A Service with what its condition `AddressAllocated` says. */
export interface BalancedService extends Service {
  readonly allocated: Allocated | undefined
}

export interface Allocated {
  readonly status: string
  readonly reason: string
  readonly message: string
  /** RFC 3339: when the status last changed. */
  readonly since: string
}

export interface Request {
  readonly key: Key
  /** Another Service of the same name has another. */
  readonly uid: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Who comes first where two want the same: the older, then by key. */
  readonly createdAt: string
  /** Families of the cluster addresses: none, one, or both. */
  readonly families: readonly Family[]
  readonly primaryFamily: Family
  readonly ipFamilyPolicy: Service['ipFamilyPolicy']
  readonly wanted: Wanted
  /** Pool asked for by name, '' for any. */
  readonly pool: string
  readonly sharing: Sharing
  /** Pool that the controller wrote into the Service, '' for none. */
  readonly allocatedFrom: string
  /** Since when its condition says that its pool is gone, in milliseconds. */
  readonly orphanedSince: number | undefined
  /** Annotations with the older prefix that are used. */
  readonly deprecated: readonly string[]
}

/** Addresses asked for, in the order asked. */
export type Wanted =
  | { readonly kind: 'any' }
  | { readonly kind: 'addresses'; readonly ips: readonly IP[] }
  | { readonly kind: 'invalid'; readonly message: string }

/** On which terms a Service shares its address with others. */
export interface Sharing {
  /** '': shares with nobody. */
  readonly key: string
  /** Only Services with the same one share: under `Local` the same pods must be behind both. */
  readonly backend: string
  /** `TCP/80`. */
  readonly ports: readonly string[]
}

export function readRequest(service: BalancedService): Request {
  const { meta, allocated } = service
  const deprecated: string[] = []
  const annotation = (name: string): string => {
    const older = meta.annotations[olderPrefix + name]
    if (older !== undefined) deprecated.push(olderPrefix + name)
    return meta.annotations[prefix + name] ?? older ?? ''
  }
  return {
    key: keyOf(meta),
    uid: meta.uid,
    namespace: meta.namespace,
    labels: meta.labels,
    createdAt: meta.creationTimestamp,
    families: familiesOf(service.clusterIPs),
    primaryFamily: service.ipFamilies[0] === 'IPv6' ? 6 : 4,
    ipFamilyPolicy: service.ipFamilyPolicy,
    wanted: readWanted(annotation('loadBalancerIPs'), service.loadBalancerIP),
    pool: annotation('address-pool'),
    sharing: readSharing(service, annotation('allow-shared-ip')),
    allocatedFrom: meta.annotations[allocatedFromPool] ?? '',
    orphanedSince: allocated?.reason === 'PoolRemoved' ? Date.parse(allocated.since) || undefined : undefined,
    deprecated: deprecated.length === 0 ? nothingDeprecated : deprecated,
  }
}

/** The addresses in the status, without what is none. */
export function heldIn(service: Service): readonly IP[] {
  return service.ingress.flatMap(({ ip }) => (ip === undefined ? [] : (parseIP(ip) ?? [])))
}

export function byRequestAge(a: Request, b: Request): number {
  return compare(a.createdAt, b.createdAt) || compare(a.key, b.key)
}

/** One of each for all Services: there may be thousands. */
const both: readonly Family[] = [4, 6]
const only4: readonly Family[] = [4]
const only6: readonly Family[] = [6]
const none: readonly Family[] = []
const anything: Wanted = { kind: 'any' }
const nothingDeprecated: readonly string[] = []

function familiesOf(clusterIPs: readonly string[]): readonly Family[] {
  const has = (family: Family) => clusterIPs.some((text) => parseIP(text)?.family === family)
  return has(4) ? (has(6) ? both : only4) : has(6) ? only6 : none
}

function readWanted(annotation: string, field: string): Wanted {
  if (annotation === '' && field === '') return anything
  if (annotation !== '' && field !== '') {
    return invalid('spec.loadBalancerIP and the annotation metallb.io/loadBalancerIPs are both set')
  }
  const source = annotation === '' ? 'spec.loadBalancerIP' : 'annotation metallb.io/loadBalancerIPs'
  const ips: IP[] = []
  for (const text of (annotation || field).split(',').map((part) => part.trim())) {
    const ip = parseIP(text)
    if (ip === undefined) return invalid(`${source}: ${JSON.stringify(text)} is no IP address`)
    // As MetalLB reads it.
    ips.push(unmapIP(ip))
  }
  if (annotation === '' && ips.length > 1) return invalid(`${source}: more than one address`)
  if (ips.length > 2) return invalid(`${source}: more than two addresses`)
  if (ips.length === 2 && ips[0]?.family === ips[1]?.family) {
    return invalid(`${source}: ${ips.map(formatIP).join(' and ')} are of the same family`)
  }
  return { kind: 'addresses', ips }
}

function invalid(message: string): Wanted {
  return { kind: 'invalid', message }
}

/** Whether an annotation says with whom. */
export function asksToShare({ meta }: Service): boolean {
  return [prefix, olderPrefix].some((start) => meta.annotations[`${start}allow-shared-ip`] !== undefined)
}

export const sharesNothing: Sharing = { key: '', backend: '', ports: [] }

function readSharing(service: Service, key: string): Sharing {
  if (key === '') return sharesNothing
  const selector = Object.entries(service.selector).toSorted(([a], [b]) => compare(a, b))
  const isLocal = service.externalTrafficPolicy === 'Local' && selector.length > 0
  return {
    key,
    backend: isLocal ? JSON.stringify(selector) : '',
    ports: service.ports.map(({ protocol, port }) => `${protocol}/${port}`).toSorted(compare),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
