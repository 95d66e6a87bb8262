import type { Meta } from '@landfall/kube/model'
import { formatRange, overlap, parseRange, type Range } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPools } from './pools.ts'

const entry = fc.tuple(fc.nat(60), fc.nat(4)).map(([first, more]) => `10.0.0.${first}-10.0.0.${first + more}`)
const lists = fc.array(fc.array(entry, { minLength: 1, maxLength: 6 }), { maxLength: 8 })

function read(text: string): Range {
  const range = parseRange(text)
  if (range === undefined) throw new Error(text)
  return range
}

/** What a comparison of each range with each other finds, in the order of its finding. */
function overlapsIn(pools: readonly (readonly string[])[]): readonly string[] {
  const found: string[] = []
  const good: { readonly name: string; readonly ranges: readonly Range[] }[] = []
  for (const [index, texts] of pools.entries()) {
    const ranges = texts.map(read)
    const before = found.length
    const say = (at: number, text: string) => found.push(`p${index} spec.addresses[${at}]: ${text}`)
    for (const [at, range] of ranges.entries()) {
      const other = ranges.findIndex((one) => overlap(one, range))
      if (other < at) say(at, `${JSON.stringify(texts[at])} overlaps spec.addresses[${other}]`)
    }
    for (const [at, range] of ranges.entries()) {
      for (const pool of good) {
        const other = pool.ranges.find((one) => overlap(one, range))
        if (other === undefined) continue
        say(at, `${formatRange(range)} overlaps ${formatRange(other)} of the older pool ${pool.name}`)
      }
    }
    if (found.length === before) good.push({ name: `p${index}`, ranges })
  }
  return found
}

test('of ranges and pools that overlap, each is told of those before it that are good', () => {
  fc.assert(
    fc.property(lists, (pools) => {
      const objects = pools.map((addresses, index) => ({ meta: metaOf(`p${index}`), spec: { addresses } }))
      const { refusals } = readPools(objects, [])
      const prefix = 'IPAddressPool metallb-system/'
      expect(refusals.map(({ message }) => message.slice(prefix.length).replace(': ', ' '))).toEqual(
        overlapsIn(pools),
      )
    }),
    { numRuns: 1000 },
  )
})

function metaOf(name: string): Meta {
  return {
    namespace: 'metallb-system',
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    deleting: false,
  }
}
