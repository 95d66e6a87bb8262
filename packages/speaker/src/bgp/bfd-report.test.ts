import { createLogger, Metrics, silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import type { FromBfd } from '../bfd/index.ts'
import { BfdReport } from './bfd-report.ts'

function report() {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const metrics = new Metrics('test')
  const bfd = new BfdReport(createLogger({ level: 'debug', write }), metrics)
  const labels = { peer: '192.0.2.1:179', vrf: 'default' }
  const observe = (message: FromBfd) => bfd.observe(message, (id) => (id === 'tor' ? labels : undefined))
  const state = (to: 'down' | 'init' | 'up', held = false) =>
    observe({
      kind: 'state',
      id: 'tor',
      state: to,
      diagnostic: to === 'up' ? 0 : 1,
      held,
    })
  return { bfd, labels, metrics, observe, state, events: () => lines.map(({ event }) => event) }
}

test('ups, downs and packets are counted under the names of FRR, and told once', async () => {
  const { bfd, metrics, observe, state, events } = report()
  for (const to of ['down', 'init', 'up', 'down', 'up'] as const) state(to)
  const counts = { controlIn: 3, controlOut: 4, echoIn: 1, echoOut: 2 }
  observe({ kind: 'counts', sessions: { tor: counts, gone: counts }, refused: { badLength: 5 } })
  const text = await metrics.exposition()
  const label = '{peer="192.0.2.1:179",vrf="default"}'
  for (const line of [
    `metallb_bfd_session_up${label} 1`,
    `metallb_bfd_session_up_events${label} 2`,
    `metallb_bfd_session_down_events${label} 1`,
    `metallb_bfd_zebra_notifications${label} 5`,
    `metallb_bfd_control_packet_input${label} 3`,
    `metallb_bfd_control_packet_output${label} 4`,
    `metallb_bfd_echo_packet_input${label} 1`,
    `metallb_bfd_echo_packet_output${label} 2`,
    'landfall_bfd_packets_refused_total{reason="badLength"} 5',
  ])
    expect(text).toContain(line)
  expect(text).not.toContain('gone')
  expect(events()).toEqual(['bfdUp', 'bfdDown', 'bfdUp'])
  expect(bfd.of('tor')).toEqual({ state: 'up', obstacle: undefined })
})

test('of two sessions with one router the metrics tell the worse', async () => {
  const metrics = new Metrics('test')
  const bfd = new BfdReport(silentLogger(), metrics)
  const labels = { peer: '192.0.2.1:179', vrf: 'default' }
  const observe = (id: string, state: 'up' | 'down') =>
    bfd.observe({ kind: 'state', id, state, diagnostic: 0, held: false }, () => labels)
  const up = async () => /^metallb_bfd_session_up{.*} (.*)$/m.exec(await metrics.exposition())?.[1]
  observe('one', 'down')
  observe('other', 'up')
  expect(await up()).toBe('0')
  bfd.forget('one', labels)
  expect(await up()).toBe('1')
  bfd.forget('other', labels)
  expect(await up()).toBeUndefined()
})

test('an obstacle is told once, and gone with the session', async () => {
  const { bfd, labels, metrics, observe, state, events } = report()
  const obstacle = { kind: 'obstacle', id: 'tor', obstacle: 'portInUse', message: 'port 3784' } as const
  observe(obstacle)
  observe(obstacle)
  expect(events()).toEqual(['bfdUnavailable'])
  expect(bfd.of('tor')).toEqual({ state: 'down', obstacle: 'portInUse' })
  expect(await metrics.exposition()).toContain('metallb_bfd_session_up{peer="192.0.2.1:179",vrf="default"} 0')
  state('up')
  bfd.forget('tor', labels)
  expect(bfd.of('tor')).toBeUndefined()
  expect(await metrics.exposition()).not.toContain('192.0.2.1')
})
