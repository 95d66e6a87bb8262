/** The rows of the reference for annotations, decisions, details and sharing: what a Service has, and which Events say so. */
import { serviceType } from '@landfall/kube'
import type { Config } from '@landfall/metallb'
import { expect, test } from 'vitest'
import { Allocator, type Batch } from './allocator.ts'
import { configOf, dual, pool, type ServiceChoices, said, service } from './testing.ts'

const p = pool('p', ['10.0.0.0/30'])
const both = pool('p', ['10.0.0.0/30', '2001:db8::/126'])
const q = pool('q', ['10.1.0.0/30'])
const asks = (ips: string) => ({ annotations: { 'metallb.io/loadBalancerIPs': ips } })
const from = (name: string) => ({ annotations: { 'metallb.io/address-pool': name } })
const sharing = (port: number, more: Readonly<Record<string, string>> = {}) => ({
  annotations: { 'metallb.io/allow-shared-ip': 'k', ...more },
  ports: [`TCP/${port}`],
})

/** As an API server before v1.20 says it. */
const before120 = (clusterIP: string): ServiceChoices => {
  const { clusterIPs, ipFamilies } = serviceType.project({ metadata: { name: 's' }, spec: { clusterIP } })
  return { clusterIPs, ipFamilies }
}

interface Step {
  readonly config?: Config
  readonly [name: string]: ServiceChoices | Config | null | undefined
}

/** A batch: its configuration if it has one, and Services by name; null is one that is deleted. */
function batchOf({ config, ...services }: Step): Batch {
  const entries = Object.entries(services)
  return {
    ...(config && { config }),
    changed: entries.flatMap(([name, choices]) => (choices ? service(name, choices as ServiceChoices) : [])),
    gone: entries.flatMap(([name, choices]) => (choices ? [] : `default/${name}`)),
  }
}

/** What the last batch says: `s 10.0.0.0 IPAllocated` */
function follow(...steps: readonly Step[]): readonly string[] {
  const allocator = new Allocator()
  const last = steps.map((step) => allocator.apply(batchOf(step))).at(-1) ?? []
  return last.map((one) => {
    const events = one.decision.events.map(({ reason }) => reason)
    return [one.key.replace('default/', ''), said(one), ...events].join(' ')
  })
}

test.each<[string, readonly Step[], readonly string[]]>([
  // Annotations.
  [
    'address-pool works with autoAssign: false',
    [{ config: configOf(pool('p', ['10.0.0.0/30'], { autoAssign: false })), s: from('p') }],
    ['s 10.0.0.0 IPAllocated'],
  ],
  [
    'address-pool, the new prefix wins',
    [
      {
        config: configOf(p, q),
        s: { annotations: { 'metallb.io/address-pool': 'q', 'metallb.universe.tf/address-pool': 'p' } },
      },
    ],
    ['s 10.1.0.0 IPAllocated'],
  ],
  [
    'loadBalancerIPs, spaces trimmed',
    [{ config: configOf(p), s: asks(' 10.0.0.2 ') }],
    ['s 10.0.0.2 IPAllocated'],
  ],
  [
    'loadBalancerIPs, at most 2',
    [{ config: configOf(both), s: { ...dual, ...asks('10.0.0.1,2001:db8::1,10.0.0.2') } }],
    ['s InvalidRequest AllocationFailed'],
  ],
  [
    'spec.loadBalancerIP and the annotation is an error',
    [{ config: configOf(p), s: { ...asks('10.0.0.1'), loadBalancerIP: '10.0.0.1' } }],
    ['s InvalidRequest AllocationFailed'],
  ],
  // Order of decisions.
  [
    '1 no pools: clear',
    [{ config: configOf(p), s: {} }, { config: configOf() }],
    ['s NoPools ClearAssignment AllocationFailed'],
  ],
  [
    '1 no cluster IPs: clear',
    [{ config: configOf(p), s: {} }, { s: { clusterIPs: [] } }],
    ['s NoClusterIPs ClearAssignment AllocationFailed'],
  ],
  [
    '2 RequireDualStack with fewer than 2 clusterIPs',
    [{ config: configOf(both), s: { policy: 'RequireDualStack' } }],
    ['s NotEnoughClusterIPs not enough clusterips'],
  ],
  [
    '3 the family no longer matches: clear and reallocate',
    [{ config: configOf(both), s: {} }, { s: { clusterIPs: ['fd00::1'] } }],
    ['s 2001:db8:: ClearAssignment IPAllocated'],
  ],
  [
    '3 one family of a dual PreferDualStack Service is exempt',
    [{ config: configOf(p), s: { ...dual, status: ['10.0.0.2'] } }],
    ['s 10.0.0.2 AdditionalAssignFailed'],
  ],
  [
    '3 two of one family: clear',
    [{ config: configOf(p), s: { ...dual, status: ['10.0.0.1', '10.0.0.2'] } }],
    ['s 10.0.0.0 ClearAssignment IPAllocated'],
  ],
  [
    '3 more than 2 IPs: clear',
    [{ config: configOf(both), s: { ...dual, status: ['10.0.0.1', '2001:db8::1', '2001:db8::2'] } }],
    ['s 10.0.0.0,2001:db8:: ClearAssignment IPAllocated'],
  ],
  [
    '4 not in any pool',
    [{ config: configOf(p), s: { status: ['192.0.2.1'] } }],
    ['s 10.0.0.0 ClearAssignment IPAllocated'],
  ],
  [
    '4 sharing conflict',
    [
      {
        config: configOf(p),
        a: { ...sharing(1), status: ['10.0.0.0'] },
        b: { ...sharing(1), status: ['10.0.0.0'] },
      },
    ],
    ['a 10.0.0.0', 'b 10.0.0.1 ClearAssignment IPAllocated'],
  ],
  [
    '4 pool not compatible',
    [
      {
        config: configOf(pool('p', ['10.0.0.0/30'], { allocation: { namespaces: new Set(['other']) } }), q),
        s: { status: ['10.0.0.0'] },
      },
    ],
    ['s 10.1.0.0 ClearAssignment IPAllocated'],
  ],
  [
    '5 the pool annotation differs from the current pool',
    [{ config: configOf(p, q), s: {} }, { s: from('q') }],
    ['s 10.1.0.0 ClearAssignment IPAllocated'],
  ],
  [
    '6 requested IPs differ from the current',
    [{ config: configOf(p), s: {} }, { s: asks('10.0.0.3') }],
    ['s 10.0.0.3 ClearAssignment IPAllocated'],
  ],
  [
    '6 requested IPs are a set',
    [
      { config: configOf(both), s: { ...dual, ...asks('10.0.0.1,2001:db8::1') } },
      { s: { ...dual, ...asks('2001:db8::1,10.0.0.1') } },
    ],
    ['s 2001:db8::1,10.0.0.1'],
  ],
  [
    '6 bad request syntax while an IP is held: kept',
    [{ config: configOf(p), s: {} }, { s: asks('10.0.0') }],
    ['s 10.0.0.0 LoadBalancerFailed'],
  ],
  [
    '7 PreferDualStack adds the other family from the same pool',
    [{ config: configOf(both), s: { ...dual, status: ['10.0.0.3'] } }],
    ['s 10.0.0.3,2001:db8:: IPAllocated'],
  ],
  [
    '8 a requested IPs before b annotated pool: the IP must lie in that pool',
    [
      {
        config: configOf(p, q),
        s: { annotations: { ...asks('10.0.0.1').annotations, ...from('q').annotations } },
      },
    ],
    ['s AddressNotInPool AllocationFailed'],
  ],
  [
    '9 retried when an allocated Service is deleted',
    [{ config: configOf(pool('p', ['10.0.0.0/32'])), a: {}, b: {} }, { a: null }],
    ['b 10.0.0.0 IPAllocated'],
  ],
  [
    '9 retried when an allocated Service loses its IP',
    [{ config: configOf(pool('p', ['10.0.0.0/32'])), a: {}, b: {} }, { a: { clusterIPs: [] } }],
    ['a NoClusterIPs ClearAssignment AllocationFailed', 'b 10.0.0.0 IPAllocated'],
  ],
  [
    '9 retried when a holder moves to another address',
    [
      {
        config: configOf(pool('p', ['10.0.0.0/32']), pool('q', ['10.1.0.0/32'], { autoAssign: false })),
        a: {},
        b: {},
      },
      { a: from('q') },
    ],
    ['a 10.1.0.0 ClearAssignment IPAllocated', 'b 10.0.0.0 IPAllocated'],
  ],
  [
    '9 retried when the sharing key changes',
    [
      { config: configOf(pool('p', ['10.0.0.0/32'])), a: { ports: ['TCP/1'] }, b: sharing(2) },
      { a: sharing(1) },
    ],
    ['a 10.0.0.0', 'b 10.0.0.0 IPAllocated'],
  ],
  [
    '9 retried when pools change',
    [{ config: configOf(pool('p', ['10.0.0.0/32'])), a: {}, b: {} }, { config: configOf(p) }],
    ['a 10.0.0.0', 'b 10.0.0.1 IPAllocated'],
  ],
  // Details.
  [
    'avoidBuggyIPs evicts holders',
    [
      { config: configOf(p), s: {} },
      { config: configOf(pool('p', ['10.0.0.0/30'], { avoidBuggyIPs: true })) },
    ],
    ['s 10.0.0.1 ClearAssignment IPAllocated'],
  ],
  [
    'dual stack, RequireDualStack: both from one pool; ours also from two, else fail',
    [
      { config: configOf(p), s: { ...dual, policy: 'RequireDualStack' } },
      { config: configOf(p, pool('six', ['2001:db8::/126'])) },
    ],
    ['s 10.0.0.0,2001:db8:: IPAllocated'],
  ],
  [
    'dual stack, RequireDualStack: the one pool that has both goes before a preferred one that has not',
    [
      {
        config: configOf(
          pool('a', ['10.0.0.0/30'], { allocation: { priority: 1 } }),
          pool('b', ['10.1.0.0/30', '2001:db8::/126']),
        ),
        s: { ...dual, policy: 'RequireDualStack' },
      },
    ],
    ['s 10.1.0.0,2001:db8:: IPAllocated'],
  ],
  [
    'order of two auto IPs: IPv4 then IPv6',
    [{ config: configOf(both), s: { ...dual, ipFamilies: ['IPv6', 'IPv4'] } }],
    ['s 10.0.0.0,2001:db8:: IPAllocated'],
  ],
  [
    'family source: spec.clusterIPs, not ipFamilies',
    [{ config: configOf(both), s: { clusterIPs: ['fd00::1'], ipFamilies: ['IPv4'] } }],
    ['s 2001:db8:: IPAllocated'],
  ],
  [
    'family source: fallback spec.clusterIP',
    [{ config: configOf(both), a: before120('10.96.0.1'), b: before120('fd00::1'), c: before120('None') }],
    ['a 10.0.0.0 IPAllocated', 'b 2001:db8:: IPAllocated', 'c NoClusterIPs AllocationFailed'],
  ],
  [
    'restart: who holds comes before who waits',
    [{ config: configOf(pool('p', ['10.0.0.0/32'])), a: {}, b: { status: ['10.0.0.0'] } }],
    ['a NoFreeAddress AllocationFailed', 'b 10.0.0.0'],
  ],
  [
    'a status cleared by hand gets the old one back',
    [{ config: configOf(p), a: {}, s: {} }, { a: null }, { s: { status: [] } }],
    ['s 10.0.0.1'],
  ],
  // Sharing.
  [
    'sharing is permitted, not forced: the first that passes',
    [{ config: configOf(p), a: sharing(1), b: sharing(1) }],
    ['a 10.0.0.0 IPAllocated', 'b 10.0.0.1 IPAllocated'],
  ],
  [
    'the sole user may change its key in place',
    [{ config: configOf(p), s: sharing(1) }, { s: { ports: ['TCP/1'] } }],
    ['s 10.0.0.0'],
  ],
  [
    'a change that makes it incompatible evicts it',
    [{ config: configOf(p), a: sharing(1), b: sharing(2) }, { b: { ports: ['TCP/2'] } }],
    ['b 10.0.0.1 ClearAssignment IPAllocated'],
  ],
  [
    'TCP and UDP of one port do not clash',
    [
      {
        config: configOf(pool('p', ['10.0.0.0/32'])),
        a: sharing(80),
        b: { ...sharing(80), ports: ['UDP/80'] },
      },
    ],
    ['a 10.0.0.0 IPAllocated', 'b 10.0.0.0 IPAllocated'],
  ],
  [
    'allow-shared-ip, any string that is not empty',
    [
      {
        config: configOf(pool('p', ['10.0.0.0/32'])),
        a: { annotations: { 'metallb.io/allow-shared-ip': '' }, ports: ['TCP/1'] },
        b: { annotations: { 'metallb.io/allow-shared-ip': '' }, ports: ['TCP/2'] },
      },
    ],
    ['a 10.0.0.0 IPAllocated', 'b NoFreeAddress AllocationFailed'],
  ],
  [
    'a Local Service without a selector shares with Cluster',
    [{ config: configOf(pool('p', ['10.0.0.0/32'])), a: sharing(1), b: { ...sharing(2), local: {} } }],
    ['a 10.0.0.0 IPAllocated', 'b 10.0.0.0 IPAllocated'],
  ],
  [
    'namespaces may differ if the pool allows both',
    [
      {
        config: configOf(pool('p', ['10.0.0.0/32'], { allocation: { namespaces: new Set(['default']) } })),
        a: sharing(1),
        b: { ...sharing(2), namespace: 'other' },
      },
    ],
    ['a 10.0.0.0 IPAllocated', 'other/b NoFreeAddress AllocationFailed'],
  ],
])('%s', (_, steps, expected) => {
  expect(follow(...steps)).toEqual(expected)
})

test.each([
  [false, '192.168.0.230', '192.168.0.255 192.168.1.0', '192.168.1.3'],
  [true, '192.168.0.230', '192.168.0.254 192.168.1.1', '192.168.1.5'],
])('30 Services of a range over the end of a /24, avoidBuggyIPs %s', (avoidBuggyIPs, first, middle, last) => {
  const config = configOf(pool('p', ['192.168.0.230-192.168.1.250'], { avoidBuggyIPs }))
  const names = Array.from({ length: 30 }, (_, index) => `s${String(index).padStart(2, '0')}`)
  const decided = new Allocator().apply({ config, changed: names.map((name) => service(name)), gone: [] })
  const ips = decided.map(said)
  const at = ips.findIndex((ip) => ip.startsWith('192.168.1.'))
  expect([ips[0], ips.slice(at - 1, at + 1).join(' '), ips.at(-1)]).toEqual([first, middle, last])
})
