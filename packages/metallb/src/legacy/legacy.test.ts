import { readdirSync, readFileSync } from 'node:fs'
import type { ConfigMap } from '@landfall/kube/model'
import { formatIP, formatPrefix, rangeSize, rangeToPrefixes } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { goldenOf, objectsOf, type Written } from '../testing.ts'
import { buildLegacy } from './build-legacy.ts'
import { migrate } from './migrate.ts'

const testdata = new URL('../../testdata/legacy/', import.meta.url)
const files = readdirSync(testdata)
const cases = files.filter((file) => file.endsWith('.yaml')).map((file) => file.replace('.yaml', ''))

function read(name: string) {
  const documents = parseAllDocuments(readFileSync(new URL(`${name}.yaml`, testdata), 'utf8'))
  const written: (Written & { data?: ConfigMap['data'] })[] = documents.map((document) => document.toJS())
  const data = written.find(({ kind }) => kind === 'ConfigMap')?.data ?? {}
  return { configMap: configMap(data), nodes: objectsOf(written).nodes }
}

function configMap(data: ConfigMap['data']): ConfigMap {
  const [pool] = objectsOf([{ kind: 'IPAddressPool', metadata: { name: 'config' } }]).pools
  if (pool === undefined) throw new Error('no object')
  return { meta: pool.meta, data }
}

test.each(cases)('%s: the configuration', async (name) => {
  const { configMap, nodes } = read(name)
  const { usable, notes, ...built } = buildLegacy(configMap, nodes)
  const said = `${JSON.stringify({ usable, notes })}\n${goldenOf(built)}`
  await expect(said).toMatchFileSnapshot(`../../testdata/legacy/${name}.golden.txt`)
})

test.each(cases)('%s: the objects that say the same', async (name) => {
  const { configMap, nodes } = read(name)
  const { objects, notes, refusals } = migrate(configMap, nodes)
  const lines = [
    ...refusals.map(({ message }) => `refused: ${message}`),
    ...notes.map((note) => `note: ${note}`),
  ]
  const said = [
    ...lines.map((line) => `# ${line}\n`),
    ...objects.map((object) => `---\n${stringify(object)}`),
  ]
  await expect(said.join('')).toMatchFileSnapshot(`../../testdata/legacy/${name}.objects.golden.txt`)
})

test('every golden file has its case', () => {
  const goldens = files.filter((file) => file.includes('.golden.'))
  expect(goldens.filter((file) => !cases.includes(file.replace(/(\.objects)?\.golden\.txt$/, '')))).toEqual(
    [],
  )
})

test.each([
  ['002-kubernetes-under-the-hood', 40n, '2.10/31 2.12/30 2.16/28 2.32/28 2.48/31'],
  [
    '003-raspberry-pi',
    277n,
    '0.230/31 0.232/29 0.240/28 1.0/25 1.128/26 1.192/27 1.224/28 1.240/29 1.248/31 1.250/32',
  ],
  ['004-rke-baremetal', 32n, '1.96/27'],
  ['001-lokomotive-metallb-component', 1n, '40.46/32'],
])('vector of %s: %s addresses, %s', (name, count, prefixes) => {
  const { configMap, nodes } = read(name)
  const ranges = buildLegacy(configMap, nodes).config.pools.flatMap((pool) => pool.ranges)
  expect(ranges.reduce((sum, range) => sum + rangeSize(range), 0n)).toBe(count)
  const short = ranges
    .flatMap(rangeToPrefixes)
    .map((prefix) => formatPrefix(prefix).replace(/^\d+\.\d+\./, ''))
  expect(short.join(' ')).toBe(prefixes)
})

test('that peers are of the Nodes as they are now is noted, whichever build looked for them there', () => {
  const note = expect.stringContaining('as the Nodes are now')
  const { configMap: first, nodes } = read('000-lokomotive-packet')
  expect(migrate(first, nodes).notes).toContainEqual(note)
  expect(migrate(first, []).notes).not.toContainEqual(note)
})

test('the network and broadcast addresses of the arp-network are left out, those of the pool are not', () => {
  const pool = 'name: p, protocol: arp, arp-network: 172.30.0.0/23, cidr: [172.30.0.0/24, 172.30.1.0/24]'
  const { config } = buildLegacy(configMap({ config: `address-pools: [{${pool}}]` }), [])
  const ends = config.pools[0]?.ranges.map(({ first, last }) => `${formatIP(first)} ${formatIP(last)}`)
  expect(ends).toEqual(['172.30.0.1 172.30.0.255', '172.30.1.0 172.30.1.254'])
})

test('no text makes it throw', () => {
  const words = fc.constantFrom(
    'peers',
    'address-pools',
    ':',
    '- ',
    '\n',
    '  ',
    'cidr',
    'name',
    '{',
    '}',
    '[',
    ']',
    '*a',
    '&a ',
    '1',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(words).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(text, (config) => {
      const { usable, refusals } = buildLegacy(configMap({ config }), [])
      expect(usable || refusals.length > 0).toBe(true)
      expect(migrate(configMap({ config }), []).refusals).toEqual(refusals)
    }),
    { numRuns: 500 },
  )
})
