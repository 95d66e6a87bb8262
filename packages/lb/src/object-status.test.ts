import type { Config, Pool } from '@landfall/metallb'
import { parseIP, parseRange, type Range } from '@landfall/netip'
import { expect, test } from 'vitest'
import { Ledger } from './allocation/ledger.ts'
import { judgedStatus, poolStatus } from './object-status.ts'

function range(text: string): Range {
  const parsed = parseRange(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}

function pool(name: string, addresses: readonly string[], refused = false): Pool {
  const ranges = addresses.map(range)
  return {
    name,
    ranges,
    autoAssign: true,
    avoidBuggyIPs: false,
    allocation: undefined,
    l2: [],
    bgp: [],
    refused,
  }
}

const good = pool('good', ['10.0.0.0/30'])
const bad = pool('bad', ['10.0.0.2/31', '10.0.1.0/30'], true)
const config: Config = { pools: [bad, good], peers: [] }
const judged = { refusals: [], warnings: [], generation: 1, instead: undefined }

function ledgerWith(...addresses: readonly string[]): Ledger {
  const ledger = new Ledger()
  for (const text of addresses) {
    const ip = parseIP(text)
    if (ip === undefined) throw new Error(text)
    ledger.set(`default/${text}`, [ip], { ports: [], key: '', backend: '' })
  }
  return ledger
}

test('of a refused pool nothing is free, and an address that another pool has is not its own', () => {
  const old = { assignedIPv4: 9, availableIPv4: 9, conditions: [{ type: 'NearlyFull' }, { type: 'Foreign' }] }
  const status = poolStatus(old, judged, bad, config, ledgerWith('10.0.0.3', '10.0.1.1'))
  expect(status).toMatchObject({ assignedIPv4: 1, availableIPv4: 0, assignedIPv6: 0, availableIPv6: 0 })
  expect(status['conditions']).toMatchObject([{ type: 'Foreign' }, { type: 'Valid' }])
})

test('a pool that is none of the configuration has no counters left', () => {
  const old = { assignedIPv4: 9, availableIPv6: 9, conditions: [{ type: 'NearlyFull' }] }
  const status = poolStatus(old, judged, undefined, config, ledgerWith())
  expect(Object.keys(status)).toEqual(['conditions'])
  expect(status['conditions']).toMatchObject([{ type: 'Valid', status: 'True' }])
})

test('a good pool says what is free', () => {
  const status = poolStatus({}, judged, good, config, ledgerWith('10.0.0.3'))
  expect(status).toMatchObject({ assignedIPv4: 1, availableIPv4: 3 })
  expect(status['conditions']).toMatchObject([{ type: 'Valid' }, { type: 'NearlyFull', status: 'False' }])
})

test('an object that does not count, since a ConfigMap rules, is neither valid nor refused', () => {
  const instead = 'ConfigMap metallb-system/config'
  const { conditions } = judgedStatus({}, { ...judged, instead })
  const message =
    'not in force: ConfigMap metallb-system/config rules, since there is no usable IPAddressPool'
  expect(conditions).toMatchObject([{ type: 'Valid', status: 'Unknown', reason: 'ConfigMapRules', message }])
})

test('a pool that is refused while a ConfigMap rules says why', () => {
  const message = 'IPAddressPool metallb-system/bad: spec.addresses[0]: it is none'
  const about = {
    kind: 'IPAddressPool',
    namespace: 'metallb-system',
    name: 'bad',
    field: 'spec.addresses[0]',
  }
  const refusals = [{ ...about, reason: 'InvalidAddress', message }] as const
  const { conditions } = judgedStatus({}, { ...judged, refusals, instead: 'ConfigMap metallb-system/config' })
  expect(conditions).toMatchObject([{ type: 'Valid', status: 'False', reason: 'InvalidAddress', message }])
})
