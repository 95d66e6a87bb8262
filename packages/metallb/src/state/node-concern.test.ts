import { expect, test } from 'vitest'
import { buildConfig } from '../build-config.ts'
import { objectsOf, type Written } from '../testing.ts'
import { concerningNode } from './node-concern.ts'

const east = [{ matchLabels: { side: 'east' } }]
const objects: readonly Written[] = [
  { kind: 'Node', metadata: { name: 'e', labels: { side: 'east' } } },
  { kind: 'Node', metadata: { name: 'w' } },
  { kind: 'BGPPeer', metadata: { name: 'bad-everywhere' }, spec: { myASN: 1, peerASN: 2 } },
  { kind: 'BGPPeer', metadata: { name: 'bad-east' }, spec: { myASN: 1, peerASN: 2, nodeSelectors: east } },
  {
    kind: 'BGPAdvertisement',
    metadata: { name: 'bad-east' },
    spec: { nodeSelectors: east, aggregationLength: 40 },
  },
  {
    kind: 'BGPAdvertisement',
    metadata: { name: 'unclear' },
    spec: { nodeSelectors: [...east, ...east] },
  },
  {
    kind: 'L2Advertisement',
    metadata: { name: 'bad-l2' },
    spec: { nodeSelectors: east, ipAddressPools: ['a', 'a'] },
  },
]

function concerning(labels: Readonly<Record<string, string>> | undefined): string[] {
  const all = objectsOf(objects)
  const found = concerningNode(buildConfig(all).refusals, all, labels)
  return [...new Set(found.map(({ kind, name }) => `${kind} ${name}`))]
}

const everywhere = ['BGPAdvertisement unclear', 'BGPPeer bad-everywhere', 'L2Advertisement bad-l2']

test('a peer or BGP advertisement that does not select the node is the business of others', () => {
  expect(concerning({})).toEqual(everywhere)
})

test('what selects the node concerns it', () => {
  expect(concerning({ side: 'east' }).toSorted()).toEqual(
    ['BGPAdvertisement bad-east', 'BGPPeer bad-east', ...everywhere].toSorted(),
  )
})

test('everything concerns a node that is not known', () => {
  expect(concerning(undefined)).toHaveLength(5)
})
