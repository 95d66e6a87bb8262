/** The ConfigMaps of the guides, as they are printed there; a test's number is its row in README.md. */
import { readFileSync } from 'node:fs'
import { type ConfigMap, emptyMeta, type Meta, type Node } from '@landfall/kube/model'
import { buildLegacy, type LegacyBuild } from '@landfall/metallb/legacy'
import { formatIP, formatRange, rangeSize } from '@landfall/netip'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const meta: Meta = { ...emptyMeta, namespace: 'metallb-system', name: 'config' }

const nodes: readonly Node[] = ['worker-0', 'worker-1', 'worker-2'].map((name) => ({
  meta: { ...meta, namespace: '', name, labels: { 'kubernetes.io/hostname': name } },
  internalIPs: [],
  ready: true,
  networkUnavailable: false,
  unschedulable: false,
  outOfService: false,
}))

function textOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
}

function build(file: string, edit: (text: string) => string = (text) => text): LegacyBuild {
  const { data }: Pick<ConfigMap, 'data'> = parse(edit(textOf(file)))
  return buildLegacy({ meta, data }, nodes)
}

/** Names of pools and their ranges. */
function poolsOf({ config }: LegacyBuild): readonly string[] {
  return config.pools.map(({ name, ranges }) => `${name} ${ranges.map(formatRange).join(' ')}`)
}

const bgp = '001-metallb-component/metallb-config.yaml'
const rke = '004-rke/configmap.yml'

test('1.1, 1.2: a peer for each worker, with the hold time as written, and one address', () => {
  const built = build(bgp)
  expect(built.refusals).toEqual([])
  const peers = built.config.peers.map(({ address, port, holdTimeSeconds, myASN, peerASN, nodes: on }) => ({
    address: address === undefined ? '' : formatIP(address),
    port,
    holdTimeSeconds,
    myASN,
    peerASN,
    on: [...on],
  }))
  const asWritten = { port: 179, holdTimeSeconds: 3, myASN: 65_000, peerASN: 65_530 }
  expect(peers).toEqual([
    { ...asWritten, address: '10.64.43.10', on: ['worker-0'] },
    { ...asWritten, address: '10.64.54.2', on: ['worker-1'] },
  ])
  expect(poolsOf(built)).toEqual(['default 147.75.40.46-147.75.40.46'])
  const [pool] = built.config.pools
  expect(pool?.l2).toEqual([])
  expect(pool?.bgp).toMatchObject([{ aggregationLength: 32, localPref: 0, communities: [], peers: [] }])
})

test('1.8: the same by layer 2 loads', () => {
  const built = build(bgp, (text) => text.replace('protocol: bgp', 'protocol: layer2'))
  expect(built).toMatchObject({ usable: true, refusals: [] })
  expect(built.config.pools.map(({ l2, bgp: none }) => [l2.length, none.length])).toEqual([[1, 0]])
})

test.each([
  ['002-under-the-hood/metallb-config.yaml', 40n, '192.168.2.10-192.168.2.49'],
  ['003-raspberry-pi/config.yml', 277n, '192.168.0.230-192.168.1.250'],
  [rke, 32n, '172.30.1.96-172.30.1.127'],
])('2.5, 3.4, 4.4: %s has %i addresses', (file, count, range) => {
  const built = build(file)
  expect(built).toMatchObject({ usable: true, refusals: [] })
  expect(poolsOf(built)[0]).toContain(range)
  const sizes = built.config.pools.flatMap(({ ranges }) => ranges.map(rangeSize))
  expect(sizes.reduce((sum, size) => sum + size, 0n)).toBe(count)
})

test('4.4: the dialect of v0.4 is one of layer 2, and told to be old once', () => {
  const built = build(rke)
  expect(built.config.pools.map(({ l2, bgp: none }) => [l2.length, none.length])).toEqual([[1, 0]])
  expect(built.notes).toHaveLength(1)
})

test('4.5: a range outside of its arp-network is refused with both named', () => {
  const built = build(rke, (text) => text.replace('172.30.1.96/27', '172.40.1.96/27'))
  expect(built.usable).toBe(false)
  expect(built.refusals[0]?.message).toContain('172.40.1.96/27 is not inside the arp-network 172.30.0.0/23')
})

test.each(['landfall', 'metallb', 'contour'])('4.1: manifests/%s.yaml has each object once', (name) => {
  const documents = parseAllDocuments(textOf(`../../manifests/${name}.yaml`))
  const names = documents
    .map((document): { kind: string; metadata: { namespace?: string; name: string } } | null =>
      document.toJS(),
    )
    .flatMap((one) =>
      one === null ? [] : [`${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name}`],
    )
  expect(names.length).toBeGreaterThan(19)
  expect(new Set(names).size).toBe(names.length)
})
