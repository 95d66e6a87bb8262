import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DesiredChanges } from './desired-changes.ts'
import type { WantedAddress } from './messages.ts'

const wanted = (ip: string, nodes: readonly string[], names: readonly string[] = []): WantedAddress => ({
  ip,
  unit: ip,
  candidates: nodes.map((node) => ({ node, weight: 0 })),
  interfaces: names,
})

test('only what is different goes out', () => {
  const changes = new DesiredChanges()
  const one = wanted('192.0.2.1', ['n1', 'n2'])
  const peers = [{ node: 'n2', addresses: ['10.0.0.2'] }]
  expect(changes.next({ addresses: new Map([[one.ip, one]]), peers })).toEqual([
    { set: [one], removed: [], peers },
  ])
  const same = wanted('192.0.2.1', ['n1', 'n2'])
  expect(changes.next({ addresses: new Map([[one.ip, same]]), peers })).toEqual([
    { set: [], removed: [], peers },
  ])
  const gone = new Map([
    [one.ip, undefined],
    ['192.0.2.9', undefined],
  ])
  expect(changes.next({ addresses: gone, peers })).toEqual([{ set: [], removed: [one.ip], peers }])
})

test('many go in parts, and the peers with the last', () => {
  const all = Array.from({ length: 700 }, (_, i) => wanted(`198.18.${i >> 8}.${i & 255}`, ['n1', 'n2']))
  const parts = new DesiredChanges().next({ addresses: new Map(all.map((a) => [a.ip, a])), peers: [] })
  expect(parts.map(({ set, peers }) => [set.length, peers])).toEqual([
    [300, undefined],
    [300, undefined],
    [100, []],
  ])
  // One list for all, so that a message carries it once.
  expect(new Set(parts.flatMap(({ set }) => set.map(({ candidates }) => candidates))).size).toBe(1)
})

test('what goes out adds up to what is desired, whatever was desired before', () => {
  const ip = fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3')
  const nodes = fc.uniqueArray(
    fc.integer({ min: 0, max: 40 }).map((n) => `n${n}`),
    { minLength: 1 },
  )
  const change = fc.tuple(ip, fc.option(nodes, { nil: undefined }))
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 60 }), (rounds) => {
      const changes = new DesiredChanges()
      const [desired, told] = [new Map<string, WantedAddress>(), new Map<string, WantedAddress>()]
      for (const round of rounds) {
        const addresses = new Map(round.map(([ip, nodes]) => [ip, nodes && wanted(ip, nodes)]))
        for (const [ip, address] of addresses) {
          if (address === undefined) desired.delete(ip)
          else desired.set(ip, address)
        }
        for (const part of changes.next({ addresses, peers: [] })) {
          for (const ip of part.removed) told.delete(ip)
          for (const address of part.set) told.set(address.ip, address)
        }
        expect(told).toEqual(desired)
      }
    }),
  )
})
