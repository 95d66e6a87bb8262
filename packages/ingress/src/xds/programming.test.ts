import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Layout } from './layout.ts'
import type { ResourceName } from './programming.ts'
import { Programming } from './programming.ts'
import type { ResourceType } from './resource.ts'
import type { Client } from './session/client.ts'
import { Hub } from './session/hub.ts'
import { resource, snapshot } from './session/script.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const wanted: readonly ResourceName[] = [
  { type: 'clusters', name: 'c' },
  { type: 'secrets', name: 'never asked for' },
  { type: 'scopes', name: 'http/a' },
]
const nothing = { subscribe: [], unsubscribe: [], initialVersions: new Map<string, string>() }

function stand() {
  const told: string[] = []
  const hub: Hub = new Hub({
    onRefused: () => {},
    onCleared: () => {},
    onAccepted: (client, type, flight) => programming.accepted(client, type, flight),
  })
  const hubs = new Map<Layout, Hub>([['scoped', hub]])
  const published = new Set<Layout>(['scoped'])
  const programming = new Programming(
    { get: (layout) => hubs.get(layout), isPublished: (layout) => published.has(layout) },
    { onLook: (keys) => told.push(...keys), onPresence: (present) => told.push(present ? 'some' : 'none') },
  )
  hub.publish(
    snapshot({
      clusters: [resource('c', '1')],
      secrets: [resource('never asked for', '1')],
      scopes: [resource('http/a', '1', { clusters: ['c'] })],
    }),
  )
  const connect = (id: string): Client => {
    const client = hub.connect({ id, build: '1.40.0' })
    for (const type of ['clusters', 'listeners', 'scopes'] as const) client.request(type, nothing)
    programming.heard(client, 'scoped')
    return client
  }
  const acknowledge = (client: Client) => {
    for (let rounds = 0; rounds < 4; rounds++)
      for (const { type, nonce } of client.next(0)) hub.settle(client, type, nonce, undefined)
  }
  return {
    told,
    hub,
    hubs,
    published,
    programming,
    connect,
    acknowledge,
    state: () => programming.state('ns/a', () => wanted),
  }
}

test('it is behind until every Envoy has acknowledged everything', () => {
  const { hub, programming, connect, acknowledge } = stand()
  expect(programming.isBehind).toBe(false)
  const envoys = [connect('one'), connect('two')]
  const seen = [programming.isBehind]
  for (const envoy of envoys) {
    acknowledge(envoy)
    seen.push(programming.isBehind)
  }
  hub.apply({ scopes: new Map([['http/a', resource('http/a', '2', { clusters: ['c'] })]]) })
  seen.push(programming.isBehind)
  expect(seen).toEqual([true, true, false, true])
})

test('what every Envoy has acknowledged in its newest form is programmed, and who waits hears of it', () => {
  const { told, hub, connect, acknowledge, state } = stand()
  expect(state()).toBe('absent')
  const [one, two] = [connect('one'), connect('two')]
  expect([state(), told]).toEqual(['pending', ['some']])
  acknowledge(one)
  expect(told).toEqual(['some', 'ns/a'])
  expect(state()).toBe('pending')
  acknowledge(two)
  expect([state(), told]).toEqual(['acknowledged', ['some', 'ns/a', 'ns/a']])
  hub.apply({ scopes: new Map([['http/a', resource('http/a', '2', { clusters: ['c'] })]]) })
  expect(state()).toBe('pending')
  acknowledge(one)
  acknowledge(two)
  expect(state()).toBe('acknowledged')
})

test('an Envoy that leaves keeps nobody waiting; only after a while without any there is none', () => {
  const { told, hub, programming, connect, acknowledge, state } = stand()
  const [one, two] = [connect('one'), connect('two')]
  acknowledge(one)
  expect(state()).toBe('pending')
  const leave = (client: Client) => {
    hub.disconnect(client)
    programming.left(client)
  }
  leave(two)
  expect([state(), told]).toEqual(['acknowledged', ['some', 'ns/a']])
  leave(one)
  vi.advanceTimersByTime(9000)
  expect([state(), told.length]).toEqual(['absent', 2])
  vi.advanceTimersByTime(2000)
  expect([state(), told.at(-1)]).toEqual(['none', 'none'])
  acknowledge(connect('three'))
  expect([state(), told.at(-1)]).toEqual(['acknowledged', 'some'])
})

test('it is pending while the layout of an Envoy is yet to be published, and not for others who follow it', () => {
  const { hubs, published, programming, connect, acknowledge, state } = stand()
  acknowledge(connect('one'))
  const hub = new Hub({ onRefused: () => {}, onCleared: () => {}, onAccepted: () => {} })
  hubs.set('classic', hub)
  const follow = (id: string, ...types: readonly ResourceType[]) => {
    const client = hub.connect({ id, build: '1.30.0' })
    for (const type of types) client.request(type, nothing)
    programming.heard(client, 'classic')
  }
  const seen = [state()]
  follow('cli', 'clusters')
  seen.push(state())
  follow('old', 'clusters', 'listeners')
  seen.push(state())
  published.add('classic')
  seen.push(state())
  expect(seen).toEqual(['acknowledged', 'acknowledged', 'pending', 'acknowledged'])
})

test('who follows one thing is no Envoy', () => {
  const { hub, programming, told, state } = stand()
  const client = hub.connect({ id: 'cli', build: '' })
  client.request('clusters', nothing)
  programming.heard(client, 'scoped')
  expect([state(), told]).toEqual(['absent', []])
})
