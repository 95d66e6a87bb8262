import { formatPrefix, parseIP, parsePrefix } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BgpRoute, Routes } from '../../plan/bgp-plan.ts'
import { RouteTable } from '../../plan/route-table.ts'
import type { ServicePlan } from '../../plan/service-plan.ts'
import { AdjOut } from './adj-out.ts'
import type { SessionFacts } from './desired-route.ts'
import { SessionRoutes } from './session-routes.ts'

const ip = (text: string) => parseIP(text) ?? expect.unreachable(text)
const facts: SessionFacts = {
  localASN: 65000,
  internal: true,
  fourOctetAS: true,
  families: [4, 6],
  nextHops: { 4: { address: ip('10.0.0.1') }, 6: { address: ip('fd00::1') } },
  draining: false,
}
const context = { fourOctetAS: true, internal: true, messageLimit: 4096 }
const route = (text: string, localPref = 100): BgpRoute => ({
  prefix: parsePrefix(text) ?? expect.unreachable(text),
  localPref,
  communities: [],
})

/** A session, and what its peer holds: prefix → LOCAL_PREF. */
function session() {
  const rib = new AdjOut({ context, endOfRib: [], markRefresh: false })
  const routes = new SessionRoutes(rib)
  const held = new Map<string, number>()
  const messages: number[] = []
  const read = (limit = Number.POSITIVE_INFINITY): void => {
    for (let taken = 0; taken < limit; taken++) {
      const message = rib.next()
      if (message?.kind !== 'update') return
      const { withdrawn, announced, attributes } = message
      const [first] = attributes
      const value = attributes.flatMap((one) => (one.kind === 'localPref' ? [one.value] : []))[0]
      const gone = first?.kind === 'mpUnreach' ? first.prefixes : withdrawn
      const come = first?.kind === 'mpReach' ? first.prefixes : announced
      for (const prefix of gone) held.delete(formatPrefix(prefix))
      for (const prefix of come) held.set(formatPrefix(prefix), value ?? 0)
      messages.push(gone.length + come.length)
    }
  }
  return { rib, routes, held, messages, read }
}

function planOf(routes: readonly BgpRoute[]): Pick<ServicePlan, 'bgp'> {
  return { bgp: { kind: 'announced', ips: [], routes: new Map([['tor', routes]]) } }
}

const set = (table: RouteTable, service: string, routes: readonly BgpRoute[]) =>
  table.set(`default/${service}`, planOf(routes) as ServicePlan)

test('a change sends what it concerns, and looks at nothing else', () => {
  const table = new RouteTable()
  for (let i = 0; i < 200; i++) set(table, `s${i}`, [route(`10.0.0.${i}/32`)])
  const { routes, held, messages, read } = session()
  routes.apply(table.of('tor'), facts)
  read()
  expect([held.size, messages]).toEqual([200, [200]])
  const { length, changes } = table.of('tor')
  const unreadable: Routes = {
    length,
    ...(changes && { changes }),
    [Symbol.iterator]: () => expect.unreachable('all routes were looked at'),
  }
  // The same table, of which nobody may read the whole any more.
  Object.assign(table.of('tor'), { [Symbol.iterator]: unreadable[Symbol.iterator] })
  set(table, 's7', [route('10.0.0.7/32', 50)])
  set(table, 's8', [])
  set(table, 'new', [route('10.0.1.0/32')])
  expect(routes.apply(table.of('tor'), facts)).toEqual({ announced: 2, withdrawn: 1 })
  read()
  expect(held.size).toBe(200)
  expect([held.get('10.0.0.7/32'), held.get('10.0.0.8/32'), held.get('10.0.1.0/32')]).toEqual([
    50,
    undefined,
    100,
  ])
})

test('what retires says so until it is withdrawn, and what comes back is as it was', () => {
  const table = new RouteTable()
  const { routes, rib, held, read } = session()
  const names = ['a', 'b', 'c'] as const
  const wish = (service: string, ...there: readonly BgpRoute[]) => set(table, service, there)
  for (const [i, name] of names.entries()) wish(name, route(`10.0.0.${i}/32`))
  routes.apply(table.of('tor'), facts)
  read()
  for (const name of names) wish(name)
  expect(routes.apply(table.of('tor'), facts, true)).toEqual({ announced: 3, withdrawn: 0 })
  read()
  expect([[...held.values()], routes.retiring]).toEqual([[0, 0, 0], 3])
  wish('b', route('10.0.0.1/32', 70))
  routes.apply(table.of('tor'), facts)
  expect(routes.withdrawRetired()).toEqual({ announced: 1, withdrawn: 2 })
  read()
  expect([[...held], rib.desired]).toEqual([[['10.0.0.1/32', 70]], 1])
})

test('of what the session carries otherwise, what is gone retires all the same', () => {
  const { routes, held, read } = session()
  routes.apply([route('10.0.0.0/32'), route('10.0.0.1/32'), route('2001:db8::1/128')], facts)
  read()
  routes.apply([route('10.0.0.1/32')], { ...facts, families: [4] }, true)
  read()
  expect(Object.fromEntries(held)).toEqual({ '10.0.0.0/32': 0, '10.0.0.1/32': 100, '2001:db8::1/128': 0 })
  routes.withdrawRetired()
  read()
  expect([...held.keys()]).toEqual(['10.0.0.1/32'])
})

test('who missed too many changes takes all', () => {
  const table = new RouteTable()
  const { routes, held, read } = session()
  set(table, 'first', [route('10.0.0.0/32')])
  routes.apply(table.of('tor'), facts)
  for (let i = 0; i < 10_000; i++) set(table, 'moving', [route(`10.1.${(i >> 8) & 255}.${i & 255}/32`)])
  routes.apply(table.of('tor'), facts)
  read()
  expect([...held.keys()].toSorted()).toEqual(['10.0.0.0/32', '10.1.39.15/32'])
})

test('a long queue leaves in the fewest messages', () => {
  const table = new RouteTable()
  const many = Array.from({ length: 20_000 }, (_, i) =>
    route(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`),
  )
  set(table, 'many', many)
  const { routes, held, messages, read } = session()
  routes.apply(table.of('tor'), facts)
  read()
  expect(held.size).toBe(20_000)
  // All but the last are full.
  expect(new Set(messages.slice(0, -1)).size).toBe(1)
})

test('change by change a peer comes to hold what it would be given whole', () => {
  const wish = fc.record({
    service: fc.nat(4),
    routes: fc.array(
      fc
        .tuple(fc.nat(5), fc.constantFrom(50, 60), fc.boolean())
        .map(([i, preference, v6]) => route(v6 ? `2001:db8::${i}/128` : `192.0.2.${i}/32`, preference)),
      { maxLength: 3 },
    ),
  })
  const rounds = fc.array(
    fc.record({
      wishes: fc.array(wish, { maxLength: 3 }),
      draining: fc.boolean(),
      families: fc.constantFrom<SessionFacts['families']>([4, 6], [4]),
      refresh: fc.boolean(),
      portion: fc.nat(3),
    }),
    { minLength: 1, maxLength: 10 },
  )
  fc.assert(
    fc.property(rounds, (all) => {
      const table = new RouteTable()
      const changing = session()
      const whole = session()
      for (const { wishes, draining, families, refresh, portion } of all) {
        for (const { service, routes } of wishes) {
          const unique = new Map(routes.map((one) => [formatPrefix(one.prefix), one]))
          set(table, `s${service}`, [...unique.values()])
        }
        const now = { ...facts, draining, families }
        changing.routes.apply(table.of('tor'), now)
        whole.routes.apply([...table.of('tor')], now)
        if (refresh) changing.rib.refresh(4)
        changing.read(portion)
        expect(changing.routes.unsent).toHaveLength(whole.routes.unsent.length)
      }
      changing.read()
      whole.read()
      expect(changing.held).toEqual(whole.held)
      expect(changing.rib).toMatchObject({ announced: whole.rib.announced, pending: 0 })
    }),
  )
})
