import { Metrics } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { SpeakerMetrics } from './speaker-metrics.ts'

async function shown(act: (metrics: SpeakerMetrics) => void, name: string): Promise<string[]> {
  const metrics = new Metrics('test')
  act(new SpeakerMetrics(metrics))
  const lines = (await metrics.exposition()).split('\n')
  return lines.filter((line) => line.startsWith(name) && !line.endsWith(' 0'))
}

test('what is counted by address is added up', async () => {
  const one = { '192.0.2.1': { requests: 3, replies: 2, gratuitous: 5 } }
  const twice = (metrics: SpeakerMetrics) => {
    metrics.count(one, () => true)
    metrics.count(one, () => true)
  }
  expect(await shown(twice, 'metallb_layer2_')).toEqual([
    'metallb_layer2_requests_received{ip="192.0.2.1"} 6',
    'metallb_layer2_responses_sent{ip="192.0.2.1"} 4',
    'metallb_layer2_gratuitous_sent{ip="192.0.2.1"} 10',
  ])
})

test("of an address that is no Service's any more nothing is shown", async () => {
  const counts = { requests: 1, replies: 1, gratuitous: 1 }
  const act = (metrics: SpeakerMetrics) => {
    metrics.count({ '192.0.2.1': counts, '192.0.2.2': counts }, () => true)
    metrics.forget('192.0.2.1')
    metrics.count({ '192.0.2.1': counts }, () => false)
  }
  expect(await shown(act, 'metallb_layer2_requests_received')).toEqual([
    'metallb_layer2_requests_received{ip="192.0.2.2"} 1',
  ])
})

test('takeovers are counted by reason, and timed where nobody had answered', async () => {
  const changes = [
    { ip: '192.0.2.1', reason: 'ownerDead', silentMs: 640 },
    { ip: '192.0.2.2', reason: 'ownerLeft', silentMs: 0 },
  ] as const
  const act = (metrics: SpeakerMetrics) => metrics.changedOwner(changes)
  expect(await shown(act, 'landfall_layer2_owner_changes_total')).toEqual([
    'landfall_layer2_owner_changes_total{reason="ownerDead"} 1',
    'landfall_layer2_owner_changes_total{reason="ownerLeft"} 1',
  ])
  expect(await shown(act, 'landfall_layer2_takeover_seconds_count')).toEqual([
    'landfall_layer2_takeover_seconds_count 1',
  ])
  expect(await shown(act, 'landfall_layer2_takeover_seconds_sum')).toEqual([
    'landfall_layer2_takeover_seconds_sum 0.64',
  ])
})

test('members are counted by state, and the age of their heartbeats goes with them', async () => {
  const act = (metrics: SpeakerMetrics) => {
    metrics.setMembers([{ node: 'gone', state: 'dead', heardMs: 5000 }])
    metrics.setMembers([
      { node: 'n2', state: 'serving', heardMs: 80 },
      { node: 'n3', state: 'unwatched', heardMs: 9000 },
    ])
  }
  expect(await shown(act, 'landfall_layer2_members')).toEqual([
    'landfall_layer2_members{state="serving"} 1',
    'landfall_layer2_members{state="unwatched"} 1',
  ])
  expect(await shown(act, 'landfall_layer2_heartbeat_age_seconds')).toEqual([
    'landfall_layer2_heartbeat_age_seconds{node="n2"} 0.08',
  ])
})
