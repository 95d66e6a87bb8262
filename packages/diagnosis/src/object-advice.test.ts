import { expect, test } from 'vitest'
import { adviceOnObject } from './facts/object-advice.ts'
import { observe } from './reading/observe.ts'
import { listsFor, places } from './testing.ts'

const pool = { kind: 'IPAddressPool', name: 'metallb-system/lan' }
const state = { kind: 'ConfigurationState', name: 'metallb-system/controller' }
const fault = { severity: 'error', reason: 'InvalidAddress', message: 'spec.addresses[0]: no' } as const

test.each([
  [
    'a fault without a remedy of its own',
    pool,
    fault,
    /^Correct .*: kubectl -n metallb-system edit ipaddresspool lan$/,
  ],
  ['what only looks so', pool, { ...fault, severity: 'warning' }, /^$/],
  ['what a program says of all objects', state, fault, /^$/],
] as const)('%s', (_, object, said, advice) => {
  expect(adviceOnObject(observe(listsFor([]), places), object, said)).toMatch(advice)
})
