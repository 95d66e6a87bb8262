import { expect, test } from 'vitest'
import { namesOf } from './upstream-validation.ts'

test('a name with a line break or blank in it, which Envoy takes in no header, is refused', () => {
  const refusals = (...subjectNames: readonly string[]) => {
    const said: string[] = []
    namesOf('spec', { caSecret: 'ca', subjectName: '', subjectNames }, (message) => said.push(message))
    return said
  }
  expect(refusals('a.test', 'spiffe://cluster.local/a', '192.0.2.1', '2001:db8::1')).toEqual([])
  expect(refusals('a\nb', 'a.test', 'a\u0000', 'a b')).toEqual([
    'spec.validation: "a\\nb" is no name of a certificate',
    'spec.validation: "a\\u0000" is no name of a certificate',
    'spec.validation: "a b" is no name of a certificate',
  ])
})
