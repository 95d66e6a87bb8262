import { expect, test } from 'vitest'
import { boundsOf } from './bounds.ts'
import { metallbResources } from './metallb.ts'

const all = metallbResources.flatMap(boundsOf)
const said = all.map(({ kind, version, field, limit }) => `${kind} ${version} ${field}: ${limit}`)

test('limits of numbers, texts and lists are found, also below lists', () => {
  expect(said).toContain('BGPPeer v1beta2 spec.peerPort: 0 to 16384')
  expect(said).toContain('BGPPeer v1beta2 spec.peerAddress: at most 64 characters')
  expect(said.some((line) => /^IPAddressPool v1beta1 spec\.addresses: .* entries$/.test(line))).toBe(true)
  expect(said.some((line) => /^IPAddressPool v1beta1 spec\.addresses\[\]: .* characters$/.test(line))).toBe(
    true,
  )
})

test('both versions of a peer have the same, as conversion is None', () => {
  const of = (wanted: string) =>
    all.flatMap(({ kind, version, field, limit }) =>
      kind === 'BGPPeer' && version === wanted ? [`${field}: ${limit}`] : [],
    )
  expect(of('v1beta1').filter((line) => !of('v1beta2').includes(line))).toEqual([])
})
