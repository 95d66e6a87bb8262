import { expect, test } from 'vitest'
import { isNamed } from './client-names.ts'

test.each<[subjectaltname: string | undefined, names: readonly string[], boolean]>([
  ['DNS:envoy, DNS:envoy.projectcontour', ['envoy'], true],
  ['DNS:Envoy', ['envoy'], true],
  ['DNS:contour', ['envoy', 'contour'], true],
  ['DNS:envoy.example.test', ['envoy'], false],
  ['IP Address:10.0.0.1, URI:spiffe://envoy', ['envoy'], false],
  ['DNS:"other, DNS:envoy"', ['envoy'], false],
  [undefined, ['envoy'], false],
  [undefined, [], true],
])('%s for %j', (subjectaltname, names, expected) => {
  expect(isNamed(subjectaltname === undefined ? undefined : { subjectaltname }, names)).toBe(expected)
})
