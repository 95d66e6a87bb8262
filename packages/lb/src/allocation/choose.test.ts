/** What is chosen is what a walk over all addresses of all pools finds first. */
import { mayUse, type Pool } from '@landfall/metallb'
import { type Family, formatIP, type IP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import { choose, type World } from './choose.ts'
import { isOpenTo } from './eligible-pools.ts'
import { type Request, readRequest } from './request.ts'
import { configOf, dual, pool, service } from './testing.ts'

const entries = fc.subarray(['10.0.X.254-10.0.X.255', '10.0.X.3-10.0.X.4', '2001:db8:X::/127'], {
  minLength: 1,
})
const pools = fc
  .array(
    fc.record({
      entries,
      autoAssign: fc.constantFrom(true, true, false),
      avoidBuggyIPs: fc.boolean(),
      refused: fc.constantFrom(false, false, false, true),
      pinned: fc.option(
        fc.record({
          priority: fc.nat(2),
          namespaces: fc.constantFrom(undefined, new Set(['default']), new Set(['other'])),
          serviceSelectors: fc.constantFrom([], [{ matchLabels: { app: 'web' } }]),
        }),
        { nil: undefined },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((all) =>
    all.map(({ entries, pinned, ...rest }, index) => {
      const addresses = entries.map((text) => text.replaceAll('X', String(index)))
      return pool(`p${index}`, addresses, { ...rest, ...(pinned && { allocation: pinned }) })
    }),
  )

const services = fc.record({
  dual: fc.boolean(),
  policy: fc.constantFrom('PreferDualStack' as const, 'RequireDualStack' as const),
  key: fc.constantFrom('', 'k'),
  port: fc.integer({ min: 1, max: 2 }),
  app: fc.constantFrom('web', 'db'),
  pool: fc.constantFrom('', '', '', 'p0', 'p1'),
})
const requests = services.map((one) => ({
  labels: { app: one.app },
  ports: [`TCP/${one.port}`],
  annotations: {
    ...(one.key === '' ? {} : { 'metallb.io/allow-shared-ip': one.key }),
    ...(one.pool === '' ? {} : { 'metallb.io/address-pool': one.pool }),
  },
  ...(one.dual ? { ...dual, policy: one.policy } : {}),
}))

/** The pools in the order in which they are tried, in groups. */
function groupsOf(all: readonly Pool[], request: Request): readonly (readonly Pool[])[] {
  const usable = all.filter((one) => !one.refused && isOpenTo(one, request))
  if (request.pool !== '') return [usable.filter(({ name }) => name === request.pool)]
  const rank = (one: Pool) => one.allocation?.priority || Number.MAX_SAFE_INTEGER
  const auto = usable.filter(({ autoAssign }) => autoAssign)
  const pinned = auto.filter(({ allocation }) => allocation !== undefined)
  return [
    pinned.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)),
    auto.filter(({ allocation }) => allocation === undefined),
  ]
}

function firstIn(all: readonly Pool[], family: Family, request: Request, { ledger }: World): IP | undefined {
  for (const one of all) {
    for (const { first, last } of one.ranges.filter((range) => range.first.family === family)) {
      for (let { value } = first; value <= last.value; value++) {
        const ip = { family, value }
        if (mayUse(one, ip) && ledger.obstacles(ip, request.key, request.sharing).length === 0) return ip
      }
    }
  }
  return undefined
}

function walk(request: Request, world: World): readonly IP[] {
  const { families, primaryFamily, ipFamilyPolicy } = request
  const groups = groupsOf(world.config.pools, request)
  for (const one of ipFamilyPolicy === 'RequireDualStack' ? groups.flat() : []) {
    const ips = families.flatMap((family) => firstIn([one], family, request, world) ?? [])
    if (ips.length === families.length) return ips
  }
  for (const [index, group] of groups.entries()) {
    for (const one of group) {
      const ips = families.flatMap((family) => firstIn([one], family, request, world) ?? [])
      if (ips.length === families.length) return ips
    }
    if (families.length < 2) continue
    for (const family of [primaryFamily, primaryFamily === 4 ? 6 : 4] as const) {
      const first = firstIn(group, family, request, world)
      if (first === undefined) continue
      const second = firstIn(groups.slice(index).flat(), family === 4 ? 6 : 4, request, world)
      if (second !== undefined) return [first, second].toSorted((a, b) => a.family - b.family)
      if (ipFamilyPolicy === 'PreferDualStack') return [first]
      break
    }
  }
  return []
}

test('whatever the pools are and whoever holds what', () => {
  fc.assert(
    fc.property(
      pools,
      fc.array(requests, { maxLength: 12 }),
      requests,
      fc.nat(11),
      (all, others, last, gone) => {
        const allocator = new Allocator()
        const config = configOf(...all)
        const changed = others.map((choices, index) => service(`s${index}`, choices))
        allocator.apply({ config, changed, gone: [] })
        allocator.apply({ changed: [], gone: [`default/s${gone}`] })
        const world = { config, ledger: allocator.ledger }
        const request = readRequest(service('last', last))
        const choice = choose(request, world)
        expect((choice.kind === 'chosen' ? choice.ips : []).map(formatIP)).toEqual(
          walk(request, world).map(formatIP),
        )
      },
    ),
    { numRuns: 1000 },
  )
})

test('a refusal names some pools and counts the others', () => {
  const all = Array.from({ length: 1000 }, (_, index) => pool(`p${1000 + index}`, ['2001:db8::/128']))
  const choice = choose(readRequest(service('s')), {
    config: configOf(...all),
    ledger: new Allocator().ledger,
  })
  const message = choice.kind === 'none' ? choice.refusal.message : ''
  expect(message).toMatch(/^no free IPv4 address in pools p1000 \(none of this family\), .*, and 992 more$/)
})
