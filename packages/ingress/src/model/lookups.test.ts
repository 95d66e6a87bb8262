import { type TLSCertificateDelegation, tlsCertificateDelegation } from '@landfall/api'
import { customType } from '@landfall/kube'
import { splitKey } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { HostIndex } from './host-index.ts'
import { recordingLookups } from './lookups.ts'
import { emptyWorld, take } from './objects.ts'

const delegationType = customType<TLSCertificateDelegation>(tlsCertificateDelegation)
const made = (key: string, secretName: string) =>
  delegationType.project({
    metadata: splitKey(key),
    spec: { delegations: [{ secretName, targetNamespaces: ['*'] }] },
  })

test('delegations are found by the namespace of their Secret, without a look at all others', () => {
  const world = emptyWorld()
  const { delegation } = world
  const put = (key: string, secretName?: string) => {
    const after = secretName === undefined ? undefined : made(key, secretName)
    take(world, { kind: 'delegation', key, before: delegation.get(key), after })
  }
  for (const values of ['values', 'entries', 'forEach', Symbol.iterator] as const)
    Object.defineProperty(delegation, values, { value: () => expect.fail('looks at all') })
  const lookups = recordingLookups(world, new HostIndex(world, []), [])
  const found = (namespace: string) =>
    lookups
      .delegations(namespace)
      .map(({ meta, spec }) => `${meta.name} ${spec.delegations.map(({ secretName }) => secretName).join()}`)

  for (const [key, secret] of [
    ['a/one', 'x'],
    ['b/one', 'y'],
    ['a/two', 'z'],
  ] as const)
    put(key, secret)
  expect([found('a'), found('b'), found('c')]).toEqual([['one x', 'two z'], ['one y'], []])
  put('a/one', 'other')
  put('b/one')
  expect([found('a'), found('b')]).toEqual([['one other', 'two z'], []])
  put('b/one', 'y')
  expect(found('b')).toEqual(['one y'])
  expect([...lookups.reads]).toEqual(['delegation:a', 'delegation:b', 'delegation:c'])
})
