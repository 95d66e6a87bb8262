import { formatPrefix, type Prefix, parseIP, parsePrefix, prefixOf } from '@landfall/netip'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BgpRoute } from '../../plan/bgp-plan.ts'
import type { SessionContext, UpdateMessage } from '../codec/index.ts'
import { AdjOut } from './adj-out.ts'
import { resolveRoutes, type SessionFacts } from './desired-route.ts'

const context: SessionContext = { fourOctetAS: true, internal: true, messageLimit: 4096 }
const ip = (text: string) => parseIP(text) ?? expect.unreachable(text)
const facts: SessionFacts = {
  localASN: 65000,
  internal: true,
  fourOctetAS: true,
  families: [4, 6],
  nextHops: { 4: { address: ip('10.0.0.1') }, 6: { address: ip('fd00::1') } },
  draining: false,
}

/** Routes as `prefix` or `prefix@local preference`. */
const desired = (...texts: readonly string[]) =>
  resolveRoutes(
    texts.map((text): BgpRoute => {
      const [prefix = '', localPref] = text.split('@')
      return {
        prefix: parsePrefix(prefix) ?? expect.unreachable(text),
        communities: [],
        ...(localPref === undefined ? {} : { localPref: Number(localPref) }),
      }
    }),
    facts,
  ).routes

function take(rib: AdjOut, limit = Number.POSITIVE_INFINITY): readonly UpdateMessage[] {
  const taken: UpdateMessage[] = []
  for (let next = rib.next(); next !== undefined; next = rib.next()) {
    if (next.kind !== 'update') throw new Error('a mark of a refresh that nobody asked for')
    taken.push(next)
    if (taken.length >= limit) break
  }
  return taken
}

/** What a peer holds after these messages: prefix → local preference. */
class Receiver {
  readonly routes = new Map<string, number>()

  receive(messages: readonly UpdateMessage[]): this {
    for (const message of messages) {
      let preference = 0
      for (const attribute of message.attributes) {
        if (attribute.kind === 'localPref') preference = attribute.value
      }
      for (const prefix of gone(message)) this.routes.delete(formatPrefix(prefix))
      for (const prefix of come(message)) this.routes.set(formatPrefix(prefix), preference)
    }
    return this
  }
}

function come({ announced, attributes: [first] }: UpdateMessage): readonly Prefix[] {
  return first?.kind === 'mpReach' ? first.prefixes : announced
}

function gone({ withdrawn, attributes: [first] }: UpdateMessage): readonly Prefix[] {
  return first?.kind === 'mpUnreach' ? first.prefixes : withdrawn
}

const make = () => new AdjOut({ context, endOfRib: [], markRefresh: false })

describe('what is sent', () => {
  test('only what changed', () => {
    const rib = make()
    const peer = new Receiver()
    expect(rib.setDesired(desired('192.0.2.1/32', '192.0.2.2/32@50'))).toEqual({ announced: 2, withdrawn: 0 })
    expect(peer.receive(take(rib)).routes).toEqual(
      new Map([
        ['192.0.2.1/32', 100],
        ['192.0.2.2/32', 50],
      ]),
    )
    expect(rib.setDesired(desired('192.0.2.2/32@50', '192.0.2.1/32'))).toEqual({ announced: 0, withdrawn: 0 })
    expect(take(rib)).toEqual([])
    rib.setDesired(desired('192.0.2.2/32@60', '192.0.2.3/32@60'))
    const messages = take(rib)
    expect(messages.map((one) => [come(one).map(formatPrefix), gone(one).map(formatPrefix)])).toEqual([
      [['192.0.2.2/32', '192.0.2.3/32'], []],
      [[], ['192.0.2.1/32']],
    ])
    expect(rib).toMatchObject({ announced: 2, pending: 0 })
  })

  test('the same set in one message, each family in its own', () => {
    const rib = make()
    rib.setDesired(desired('192.0.2.1/32', '2001:db8::1/128', '192.0.2.2/32', '2001:db8::2/128'))
    expect(take(rib)).toHaveLength(2)
  })

  test('to a slow peer the latest state, not the history', () => {
    const rib = make()
    const peer = new Receiver()
    rib.setDesired(desired('192.0.2.1/32@1', '192.0.2.2/32@2', '192.0.2.3/32@3'))
    peer.receive(take(rib, 1))
    expect(rib).toMatchObject({ announced: 1, pending: 2 })
    rib.setDesired(desired('192.0.2.3/32@4'))
    expect(rib.pending).toBe(2)
    const rest = take(rib)
    expect(rest).toHaveLength(2)
    expect(peer.receive(rest).routes).toEqual(new Map([['192.0.2.3/32', 4]]))
  })

  test('a peer that asks during the first round hears its end before the begin of the refresh', () => {
    const rib = new AdjOut({ context, endOfRib: [4, 6], markRefresh: true })
    rib.setDesired(desired('192.0.2.1/32@1', '192.0.2.2/32@2', '2001:db8::1/128'))
    const first = rib.next()
    rib.refresh(4)
    const said = [first]
    for (let next = rib.next(); next !== undefined; next = rib.next()) said.push(next)
    const brief = said.map((message) => {
      if (message?.kind === 'routeRefresh') return message.subtype === 1 ? 'begin' : 'end'
      if (message === undefined) return ''
      return come(message).map(formatPrefix).join() || 'end of RIB'
    })
    expect(brief).toEqual([
      '192.0.2.1/32',
      '192.0.2.2/32',
      '2001:db8::1/128',
      'end of RIB',
      'begin',
      '192.0.2.1/32',
      '192.0.2.2/32',
      'end of RIB',
      'end',
    ])
  })

  test('everything again where the peer asks, with what waits withdrawn all the same', () => {
    const rib = make()
    const peer = new Receiver()
    rib.setDesired(desired('192.0.2.1/32', '192.0.2.2/32', '2001:db8::1/128'))
    peer.receive(take(rib))
    rib.setDesired(desired('192.0.2.1/32', '2001:db8::1/128'))
    rib.refresh(4)
    const messages = take(rib)
    expect(messages.flatMap(come).map(formatPrefix)).toEqual(['192.0.2.1/32'])
    expect([...peer.receive(messages).routes.keys()]).toEqual(['192.0.2.1/32', '2001:db8::1/128'])
  })

  test('the marks of the end once, after the first round', () => {
    const rib = new AdjOut({ context, endOfRib: [4, 6], markRefresh: false })
    rib.setDesired(desired('192.0.2.1/32'))
    expect(take(rib).map((one) => come(one).length)).toEqual([1, 0, 0])
    rib.setDesired(desired('192.0.2.2/32'))
    expect(take(rib).map((one) => come(one).length + gone(one).length)).toEqual([1, 1])
  })
})

test('a route whose attributes fill a message is refused, and its older form withdrawn', () => {
  const rib = make()
  rib.setDesired(desired('192.0.2.1/32'))
  take(rib)
  const communities = Array.from({ length: 1100 }, (_, low) => ({ kind: 'standard', high: 1, low }) as const)
  const prefix = prefixOf(ip('192.0.2.1'), 32)
  rib.setDesired(resolveRoutes([{ prefix, communities }], facts).routes)
  expect(rib.unsent).toEqual([{ prefix, reason: 'attributesTooLong' }])
  expect(take(rib).flatMap(gone)).toEqual([prefix])
})

test('a peer that takes messages in any portions ends with what is desired', () => {
  const route = fc
    .tuple(fc.integer({ min: 1, max: 30 }), fc.nat(3), fc.boolean())
    .map(([i, preference, v6]) =>
      v6 ? `2001:db8::${i.toString(16)}/128@${preference}` : `192.0.2.${i}/32@${preference}`,
    )
  const rounds = fc.array(
    fc.tuple(fc.uniqueArray(route, { selector: (text) => text.split('@')[0] }), fc.nat(4), fc.boolean()),
    { minLength: 1, maxLength: 12 },
  )
  fc.assert(
    fc.property(rounds, (all) => {
      const rib = make()
      const peer = new Receiver()
      for (const [texts, portion, refresh] of all) {
        rib.setDesired(desired(...texts))
        if (refresh) rib.refresh(4)
        if (portion > 0) peer.receive(take(rib, portion))
      }
      peer.receive(take(rib))
      const wanted = (all.at(-1)?.[0] ?? []).map((text) => text.split('@'))
      expect(peer.routes).toEqual(
        new Map(wanted.map(([prefix = '', preference]) => [prefix, Number(preference)])),
      )
      expect(rib).toMatchObject({ announced: wanted.length, pending: 0 })
    }),
  )
})

test('a refresh is marked at its begin and end where the peer wants that', () => {
  const rib = new AdjOut({ context, endOfRib: [], markRefresh: true })
  rib.setDesired(desired('192.0.2.1/32', '2001:db8::1/128'))
  take(rib)
  const kinds = () => {
    const taken: string[] = []
    for (let next = rib.next(); next !== undefined; next = rib.next())
      taken.push(next.kind === 'update' ? come(next).map(formatPrefix).join() : `mark ${next.subtype}`)
    return taken
  }
  rib.refresh(6)
  expect(rib.next()).toEqual({ kind: 'routeRefresh', family: { afi: 2, safi: 1 }, subtype: 1 })
  // What changes meanwhile goes along, and the begin is not told twice.
  rib.setDesired(desired('192.0.2.1/32', '192.0.2.2/32', '2001:db8::1/128'))
  expect(kinds()).toEqual(['192.0.2.2/32', '2001:db8::1/128', 'mark 2'])
  rib.refresh(4)
  expect(kinds()).toEqual(['mark 1', '192.0.2.1/32,192.0.2.2/32', 'mark 2'])
})
