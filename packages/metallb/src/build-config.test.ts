import { readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { buildConfig, type MetallbObjects } from './build-config.ts'
import { goldenOf, objectsOf } from './testing.ts'

const testdata = new URL('../testdata/', import.meta.url)
const files = readdirSync(testdata)
const cases = files.filter((file) => file.endsWith('.yaml')).map((file) => file.replace('.yaml', ''))

function read(name: string): MetallbObjects {
  const documents = parseAllDocuments(readFileSync(new URL(`${name}.yaml`, testdata), 'utf8'))
  return objectsOf(documents.map((document) => document.toJS()))
}

test.each(cases)('%s', async (name) => {
  await expect(goldenOf(buildConfig(read(name)))).toMatchFileSnapshot(`../testdata/${name}.golden.json`)
})

test('every golden file has its objects', () => {
  const goldens = files.filter((file) => file.endsWith('.golden.json'))
  expect(
    goldens.map((file) => file.replace('.golden.json', '')).filter((name) => !cases.includes(name)),
  ).toEqual([])
})

test.each(cases)('%s: the order of arrival changes nothing', (name) => {
  const objects = read(name)
  const expected = goldenOf(buildConfig(objects))
  const shuffled = <T>(list: readonly T[]) => fc.shuffledSubarray([...list], { minLength: list.length })
  const orders = fc.record({
    pools: shuffled(objects.pools),
    l2Advertisements: shuffled(objects.l2Advertisements),
    bgpAdvertisements: shuffled(objects.bgpAdvertisements),
    peers: shuffled(objects.peers),
    communities: shuffled(objects.communities),
    nodes: shuffled(objects.nodes),
    namespaces: shuffled(objects.namespaces),
    secrets: shuffled(objects.secrets),
  })
  fc.assert(
    fc.property(orders, (order) => {
      expect(goldenOf(buildConfig({ ...objects, ...order }))).toBe(expected)
    }),
    { numRuns: 30 },
  )
})
