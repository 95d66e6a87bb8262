import { Metrics } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { Ledger } from './allocation/ledger.ts'
import { configOf, pool } from './allocation/testing.ts'
import { ControllerMetrics } from './controller-metrics.ts'
import { poolStatus } from './object-status.ts'

test('what only a leader knows is there only while this replica leads', async () => {
  const registry = new Metrics('test')
  const seen = async () => {
    const lines = (await registry.exposition()).split('\n')
    return lines.filter((line) => /^(metallb|landfall_lb)_/.test(line)).toSorted()
  }
  const metrics = new ControllerMetrics(registry)
  const always = ['metallb_k8s_client_update_errors_total 0', 'metallb_k8s_client_updates_total 0']
  expect(await seen()).toEqual(always)
  metrics.startTerm()
  const started = [
    'metallb_k8s_client_config_loaded_bool 0',
    'metallb_k8s_client_config_stale_bool 0',
    ...always,
  ]
  expect(await seen()).toEqual(started)
  metrics.setConfig(true, true)
  metrics.setServices(1, new Map([['NoPools', 2]]))
  metrics.setPools(configOf(pool('p', ['10.0.0.0/30'])), new Ledger())
  expect(await seen()).toEqual(
    expect.arrayContaining([
      'landfall_lb_services_without_address{reason="NoPools"} 2',
      'metallb_allocator_addresses_total{pool="p"} 4',
      'metallb_allocator_services_allocated_total 1',
      'metallb_k8s_client_config_loaded_bool 1',
      'metallb_k8s_client_config_stale_bool 1',
    ]),
  )
  metrics.endTerm()
  expect(await seen()).toEqual(always)
  metrics.startTerm()
  expect(await seen()).toEqual(started)
})

test('of a refused pool nothing is free, and what another pool has is not its own, as its status says', async () => {
  const registry = new Metrics('test')
  const metrics = new ControllerMetrics(registry)
  const ledger = new Ledger()
  for (const last of [3n, 9n]) {
    const ip = { family: 4, value: (10n << 24n) + last } as const
    ledger.set(`default/${last}`, [ip], { ports: [], key: '', backend: '' })
  }
  const bad = { ...pool('bad', ['10.0.0.2/31', '10.0.0.8/29']), refused: true }
  const config = configOf(pool('good', ['10.0.0.0/30']), bad)
  metrics.setPools(config, ledger)
  const lines = (await registry.exposition()).split('\n')
  expect(lines.filter((line) => /_allocator_addresses_.*pool="bad"/.test(line)).toSorted()).toEqual([
    'metallb_allocator_addresses_in_use_total{pool="bad"} 1',
    'metallb_allocator_addresses_total{pool="bad"} 1',
  ])
  const judged = { refusals: [], warnings: [], generation: 1, instead: undefined }
  expect(poolStatus({}, judged, bad, config, ledger)).toMatchObject({ assignedIPv4: 1, availableIPv4: 0 })
})
