/** Services and pools for the tests of the allocator, and the checks that every test of many Services makes. */

import { type Key, keyOf, type Service } from '@landfall/kube/model'
import type { Config, Pool, ServiceAllocation } from '@landfall/metallb'
import { formatIP, parseRange, type Range } from '@landfall/netip'
import type { Allocator, Decided } from './allocator.ts'
import type { Allocated, BalancedService } from './request.ts'

export interface ServiceChoices {
  readonly namespace?: string
  readonly createdAt?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly clusterIPs?: readonly string[]
  readonly policy?: Service['ipFamilyPolicy']
  readonly ipFamilies?: Service['ipFamilies']
  readonly loadBalancerIP?: string
  readonly local?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly status?: readonly string[]
  readonly allocated?: Allocated
}

export const dual = { clusterIPs: ['10.96.0.1', 'fd00::1'], policy: 'PreferDualStack' } as const

export function service(name: string, choices: ServiceChoices = {}): BalancedService {
  return {
    meta: {
      namespace: choices.namespace ?? 'default',
      name,
      uid: `uid-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: choices.createdAt ?? '2026-01-01T00:00:00Z',
      labels: choices.labels ?? {},
      annotations: choices.annotations ?? {},
      deleting: false,
    },
    type: 'LoadBalancer',
    loadBalancerClass: '',
    loadBalancerIP: choices.loadBalancerIP ?? '',
    clusterIPs: choices.clusterIPs ?? ['10.96.0.1'],
    ipFamilies: choices.ipFamilies ?? ['IPv4'],
    ipFamilyPolicy: choices.policy ?? 'SingleStack',
    externalTrafficPolicy: choices.local === undefined ? 'Cluster' : 'Local',
    externalName: '',
    selector: choices.local ?? { app: name },
    ports: (choices.ports ?? ['TCP/80']).map((text) => ({
      name: '',
      protocol: text.startsWith('UDP') ? 'UDP' : 'TCP',
      port: Number(text.split('/')[1]),
      targetPort: 8080,
      nodePort: 0,
      appProtocol: '',
    })),
    ingress: (choices.status ?? []).map((ip) => ({ ip })),
    allocated: choices.allocated,
  }
}

export interface PoolChoices {
  readonly autoAssign?: boolean
  readonly avoidBuggyIPs?: boolean
  readonly allocation?: Partial<ServiceAllocation>
  readonly refused?: boolean
}

export function pool(name: string, addresses: readonly string[], choices: PoolChoices = {}): Pool {
  const { allocation } = choices
  return {
    name,
    ranges: addresses.map(rangeOf),
    autoAssign: choices.autoAssign ?? true,
    avoidBuggyIPs: choices.avoidBuggyIPs ?? false,
    allocation: allocation && { priority: 0, namespaces: undefined, serviceSelectors: [], ...allocation },
    l2: [],
    bgp: [],
    refused: choices.refused ?? false,
  }
}

export function configOf(...pools: readonly Pool[]): Config {
  return { pools: pools.toSorted((a, b) => (a.name < b.name ? -1 : 1)), peers: [] }
}

/** `10.0.0.1,2001:db8::1`, or the reason code when there is none. */
export function said({ decision }: Decided): string {
  return decision.kind !== 'refused' ? decision.ips.map(formatIP).join() : decision.refusal.reason
}

/** What one batch said, by the Service's name. */
export function answers(decided: readonly Decided[]): Record<string, string> {
  return Object.fromEntries(decided.map((one) => [one.key.replace('default/', ''), said(one)]))
}

/** All that the allocator has given out. */
export function assignments(allocator: Allocator, services: readonly Service[]): ReadonlyMap<Key, string> {
  return new Map(
    services.map(({ meta }) => [keyOf(meta), allocator.ledger.holding(keyOf(meta)).map(formatIP).join()]),
  )
}

function rangeOf(text: string): Range {
  const range = parseRange(text)
  if (range === undefined) throw new Error(`no range: ${text}`)
  return range
}
