import { isDeepStrictEqual } from 'node:util'
import { type Key, keyOf } from '@landfall/kube/model'
import { allocatedFromPool, type Config, heldPool } from '@landfall/metallb'
import { formatIP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allocator, type Decided } from './allocator.ts'
import { answerOf } from './answer.ts'
import type { Decision } from './outcome.ts'
import { type BalancedService, readRequest } from './request.ts'
import { assignments, configOf, dual, pool, service } from './testing.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

const services = fc
  .record({
    name: fc.constantFrom(...names),
    day: fc.integer({ min: 1, max: 9 }),
    dual: fc.boolean(),
    key: fc.constantFrom('', '', 'k', 'l'),
    ip: fc.constantFrom('', '', '', '10.0.0.1', '10.0.1.0', '10.0.0.1,2001:db8::1', 'nonsense'),
    pool: fc.constantFrom('', '', '', 'p', 'q', 'r'),
    port: fc.integer({ min: 1, max: 3 }),
    app: fc.constantFrom('web', 'db'),
    local: fc.boolean(),
    status: fc.constantFrom<string[]>(
      [],
      [],
      ['10.0.0.0'],
      ['10.0.0.1'],
      ['10.0.0.0', '2001:db8::'],
      ['192.0.2.1'],
    ),
    policy: fc.constantFrom('PreferDualStack' as const, 'RequireDualStack' as const),
  })
  .map((choice) =>
    service(choice.name, {
      createdAt: `2026-01-0${choice.day}T00:00:00Z`,
      labels: { app: choice.app },
      annotations: {
        ...(choice.key === '' ? {} : { 'metallb.io/allow-shared-ip': choice.key }),
        ...(choice.ip === '' ? {} : { 'metallb.io/loadBalancerIPs': choice.ip }),
        ...(choice.pool === '' ? {} : { 'metallb.io/address-pool': choice.pool }),
      },
      ...(choice.dual ? { ...dual, policy: choice.policy } : {}),
      ...(choice.local ? { local: { app: choice.app } } : {}),
      ports: [`TCP/${choice.port}`],
      status: choice.status,
    }),
  )

const pools = fc
  .record({
    // [] cannot be read.
    p: fc.constantFrom(['10.0.0.0/31'], ['10.0.0.0/31', '2001:db8::/127'], ['10.0.0.1/32'], [], undefined),
    q: fc.constantFrom(['10.0.1.0-10.0.1.1'], ['2001:db8:1::/127'], undefined),
    autoAssign: fc.boolean(),
    avoidBuggyIPs: fc.boolean(),
    refused: fc.boolean(),
    app: fc.constantFrom(undefined, 'web'),
    only: fc.constantFrom(undefined, undefined, 'default', 'other'),
    incomplete: fc.constantFrom(false, false, false, true),
  })
  .map(({ p, q, app, only, refused, incomplete, ...choices }) => {
    const pinned = only && { allocation: { namespaces: new Set([only]) } }
    const allocation = app && { allocation: { serviceSelectors: [{ matchLabels: { app } }] } }
    const first =
      p === undefined ? [] : [pool('p', p, { ...choices, ...pinned, refused: refused || p.length === 0 })]
    return {
      ...configOf(...first, ...(q === undefined ? [] : [pool('q', q, { ...allocation })])),
      ...(incomplete && { incomplete }),
    }
  })

type Step =
  | { readonly kind: 'change'; readonly service: BalancedService }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'config'; readonly config: Config }

const step: fc.Arbitrary<Step> = fc.oneof(
  services.map((service): Step => ({ kind: 'change', service })),
  fc.constantFrom(...names).map((name): Step => ({ kind: 'delete', name })),
  pools.map((config): Step => ({ kind: 'config', config })),
)
/** All ask for one address, and differ in nothing but age: whoever holds it, the others wait. */
const crowd: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 9 }))
    .map(([name, day]) =>
      service(name, {
        createdAt: `2026-01-0${day}T00:00:00Z`,
        annotations: { 'metallb.io/loadBalancerIPs': '10.0.0.1' },
        labels: { app: name },
      }),
    )
    .map((service): Step => ({ kind: 'change', service })),
  fc.constantFrom(...names).map((name): Step => ({ kind: 'delete', name })),
)
const start: Step = { kind: 'config', config: configOf(pool('p', ['10.0.0.0/31'])) }
const changes = fc.oneof(
  fc.array(step, { minLength: 1, maxLength: 30 }),
  fc.array(crowd, { minLength: 1, maxLength: 30 }).map((steps) => [start, ...steps]),
)

const stepMs = 10_000

/** Writes back what is decided, which is what the allocator sees next, as from the API server, until nothing is new. */
function settle(
  allocator: Allocator,
  first: readonly Decided[],
  world: Map<Key, BalancedService>,
  { config, now }: { readonly config: Config; readonly now: number },
): void {
  let decided = first
  for (let round = 0; decided.length > 0; round++) {
    if (round > 2) throw new Error('what is written back changes what is decided, again and again')
    const changed = decided.flatMap(({ key, decision }) => {
      const before = world.get(key)
      const after = before && written(before, decision, config)
      return after === undefined || isDeepStrictEqual(before, after) ? [] : [after]
    })
    for (const one of changed) world.set(keyOf(one.meta), one)
    decided = changed.length === 0 ? [] : allocator.apply({ changed, gone: [], now })
  }
}

/** Runs the changes one by one, ten seconds apart, writing back each status as the controller would. */
function run(script: readonly Step[], graceMs = 0) {
  const allocator = new Allocator(graceMs)
  const world = new Map<Key, BalancedService>()
  let config = configOf()
  let now = 0
  for (const step of script) {
    now += stepMs
    if (step.kind === 'config') config = step.config
    if (step.kind === 'delete') world.delete(`default/${step.name}`)
    const changed = step.kind === 'change' ? [updated(step.service, world.get(keyOf(step.service.meta)))] : []
    for (const one of changed) world.set(keyOf(one.meta), one)
    const gone = step.kind === 'delete' ? [`default/${step.name}`] : []
    const batch = { ...(step.kind === 'config' ? { config } : {}), changed, gone, now }
    settle(allocator, allocator.apply(batch), world, { config, now })
  }
  return { allocator, config, now, world: [...world.values()] }
}

/** What the controller wrote survives an update by others. */
function updated(service: BalancedService, before: BalancedService | undefined): BalancedService {
  if (before === undefined) return service
  const pool = before.meta.annotations[allocatedFromPool]
  const annotations = { ...service.meta.annotations, ...(pool && { [allocatedFromPool]: pool }) }
  const { ingress, allocated } = before
  return { ...service, meta: { ...service.meta, annotations }, ingress, allocated }
}

function written(service: BalancedService, decision: Decision, config: Config): BalancedService {
  const ips = decision.kind === 'refused' ? [] : decision.ips
  const { [allocatedFromPool]: allocatedFrom = '', ...others } = service.meta.annotations
  const pools = ips.flatMap((ip) => heldPool(config, ip, { ips, allocatedFrom })?.name ?? [])
  const noted = [...new Set(pools)].join()
  const annotations = noted === '' ? others : { ...others, [allocatedFromPool]: noted }
  const answer = answerOf(decision, config)
  return {
    ...service,
    meta: { ...service.meta, annotations },
    ingress: ips.map((ip) => ({ ip: formatIP(ip) })),
    allocated: { ...answer, since: new Date(answer.since ?? 0).toISOString() },
  }
}

/** What the conditions say, and of a pool that is gone since when. */
function said(world: readonly BalancedService[]): ReadonlyMap<Key, string> {
  return new Map(
    world.map(({ meta, allocated }) => {
      const { status = '', reason = '', message = '', since = '' } = allocated ?? {}
      return [keyOf(meta), [status, reason, message, reason === 'PoolRemoved' ? since : ''].join(' ')]
    }),
  )
}

test('no address ever has two owners that do not share it', () => {
  fc.assert(
    fc.property(changes, (script) => {
      const { allocator, world } = run(script)
      const ports = new Map<string, string>()
      const terms = new Map<string, string>()
      for (const one of world) {
        const { key, sharing } = readRequest(one)
        for (const ip of allocator.ledger.holding(key).map(formatIP)) {
          const term = sharing.key === '' ? key : `${sharing.key} ${sharing.backend}`
          expect(terms.get(ip) ?? term).toBe(term)
          terms.set(ip, term)
          for (const port of sharing.ports) {
            expect(ports.get(`${ip} ${port}`)).toBeUndefined()
            ports.set(`${ip} ${port}`, key)
          }
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('a restart changes nothing: every status and every reason stays, and nobody who waited gets anything', () => {
  fc.assert(
    fc.property(changes, fc.constantFrom(0, 3 * stepMs), (script, graceMs) => {
      const { allocator, config, now, world } = run(script, graceMs)
      const restarted = new Allocator(graceMs)
      const again = new Map(world.map((one) => [keyOf(one.meta), one]))
      settle(restarted, restarted.apply({ config, changed: world, gone: [], now }), again, { config, now })
      expect(assignments(restarted, world)).toEqual(assignments(allocator, world))
      expect(restarted.waiting).toEqual(allocator.waiting)
      expect(restarted.nextDeadline).toEqual(allocator.nextDeadline)
      expect(said([...again.values()])).toEqual(said(world))
    }),
    { numRuns: 500 },
  )
})

test('pools that come to be unreadable cost nobody an address, nor through a restart', () => {
  fc.assert(
    fc.property(changes, (script) => {
      const { allocator, config, now, world } = run(script)
      const holders = world.filter(({ allocated }) => allocated?.status === 'True')
      const before = assignments(allocator, holders)
      const unread = { ...config, pools: config.pools.map((one) => ({ ...one, ranges: [], refused: true })) }
      if (config.pools.length > 0) allocator.apply({ config: unread, changed: [], gone: [], now })
      expect(assignments(allocator, holders)).toEqual(before)
      const restarted = new Allocator()
      restarted.apply({ config: unread, changed: world, gone: [], now })
      expect(assignments(restarted, holders)).toEqual(before)
    }),
    { numRuns: 500 },
  )
})

test('what the status says is what the allocator holds', () => {
  fc.assert(
    fc.property(changes, (script) => {
      const { allocator, world } = run(script)
      const statuses = new Map(
        world.map(({ meta, ingress }) => [keyOf(meta), ingress.map(({ ip }) => ip).join()]),
      )
      expect(statuses).toEqual(assignments(allocator, world))
    }),
    { numRuns: 300 },
  )
})

test('one batch gives the same result in 100 orders of arrival', () => {
  const batch = fc.uniqueArray(services, { selector: (one) => one.meta.name, minLength: 2, maxLength: 8 })
  const orders = fc.array(fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), {
    minLength: 100,
    maxLength: 100,
  })
  fc.assert(
    fc.property(pools, batch, orders, (config, arrived, ranks) => {
      const outcome = (changed: readonly BalancedService[]) => {
        const allocator = new Allocator()
        allocator.apply({ config, changed, gone: [] })
        return assignments(allocator, arrived)
      }
      const expected = outcome(arrived)
      for (const rank of ranks) {
        const order = arrived.map((one, index) => ({ one, rank: rank[index] ?? 0 }))
        const shuffled = order.toSorted((a, b) => a.rank - b.rank).map(({ one }) => one)
        expect(outcome(shuffled)).toEqual(expected)
      }
    }),
    { numRuns: 20 },
  )
})
