import { keyOf } from '@landfall/kube/model'
import { allocatedFromPool, type Config } from '@landfall/metallb'
import { formatIP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
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
    status: fc.constantFrom<string[]>([], [], ['10.0.0.1'], ['10.0.0.0', '2001:db8::'], ['192.0.2.1']),
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
      ...(choice.dual ? dual : {}),
      ...(choice.local ? { local: { app: choice.app } } : {}),
      ports: [`TCP/${choice.port}`],
      status: choice.status,
    }),
  )

const pools = fc
  .record({
    p: fc.constantFrom(['10.0.0.0/31'], ['10.0.0.0/31', '2001:db8::/127'], ['10.0.0.1/32'], undefined),
    q: fc.constantFrom(['10.0.1.0-10.0.1.1'], ['2001:db8:1::/127'], undefined),
    autoAssign: fc.boolean(),
    avoidBuggyIPs: fc.boolean(),
    refused: fc.boolean(),
    app: fc.constantFrom(undefined, 'web'),
  })
  .map(({ p, q, app, refused, ...choices }) => {
    const allocation = app && { allocation: { serviceSelectors: [{ matchLabels: { app } }] } }
    const first = p === undefined ? [] : [pool('p', p, { ...choices, refused })]
    return configOf(...first, ...(q === undefined ? [] : [pool('q', q, { ...allocation })]))
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
const changes = fc.array(step, { minLength: 1, maxLength: 30 })

const stepMs = 10_000

/** Runs the changes one by one, ten seconds apart, writing back each status as the controller would. */
function run(script: readonly Step[], graceMs = 0) {
  const allocator = new Allocator(graceMs)
  const world = new Map<string, BalancedService>()
  let config = configOf()
  let now = 0
  for (const step of script) {
    now += stepMs
    if (step.kind === 'config') config = step.config
    if (step.kind === 'delete') world.delete(`default/${step.name}`)
    const changed = step.kind === 'change' ? [updated(step.service, world.get(keyOf(step.service.meta)))] : []
    for (const one of changed) world.set(keyOf(one.meta), one)
    const gone = step.kind === 'delete' ? [`default/${step.name}`] : []
    const decided = allocator.apply({ ...(step.kind === 'config' ? { config } : {}), changed, gone, now })
    for (const { key, decision } of decided) {
      const one = world.get(key)
      if (one !== undefined) world.set(key, written(one, decision, config))
    }
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
  const { [allocatedFromPool]: _, ...others } = service.meta.annotations
  const annotations = ips.length === 0 ? others : { ...others, [allocatedFromPool]: 'some' }
  const answer = answerOf(decision, config)
  return {
    ...service,
    meta: { ...service.meta, annotations },
    ingress: ips.map((ip) => ({ ip: formatIP(ip) })),
    allocated: { ...answer, since: new Date(answer.since ?? 0).toISOString() },
  }
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

test('a restart changes nothing: every status stays, and nobody who waited gets anything', () => {
  fc.assert(
    fc.property(changes, fc.constantFrom(0, 3 * stepMs), (script, graceMs) => {
      const { allocator, config, now, world } = run(script, graceMs)
      const restarted = new Allocator(graceMs)
      restarted.apply({ config, changed: world, gone: [], now })
      expect(assignments(restarted, world)).toEqual(assignments(allocator, world))
      expect(restarted.waiting).toEqual(allocator.waiting)
      expect(restarted.nextDeadline).toEqual(allocator.nextDeadline)
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
