import { expect, test } from 'vitest'
import { resource, Script } from './script.ts'

const a = resource('a', '1')
const b = resource('b', '1')

test('rule 18, 19: subscriptions count although the nonce is stale, and without a nonce nothing is acknowledged', () => {
  const script = new Script()
  script.publish({ endpoints: [a, b] })
  const envoy = script.client().ask('endpoints', { subscribe: ['a'] })
  expect(envoy.read()).toEqual(['endpoints +a'])
  expect(script.hub.settle(envoy.client, 'endpoints', 'old', undefined).kind).toBe('stale')
  envoy.ask('endpoints', { subscribe: ['b'] })
  expect(envoy.client.subscriptions.endpoints.held.size).toBe(0)
  expect(envoy.ack('endpoints').read()).toEqual(['endpoints +b'])
})

test('rule 20: a name that is subscribed again is sent again', () => {
  const script = new Script()
  script.publish({ endpoints: [a] })
  const envoy = script.client().ask('endpoints', { subscribe: ['a'] })
  envoy.settle()
  expect(envoy.ask('endpoints', { subscribe: ['a'] }).settle()).toEqual(['endpoints +a'])
})

test('rule 21: an unknown name is answered as removed at once, and sent when it appears', () => {
  const script = new Script()
  script.publish({})
  const envoy = script.client().ask('secrets', { subscribe: ['a'] })
  expect(envoy.settle()).toEqual(['secrets -a'])
  script.publish({ secrets: [a] })
  expect(envoy.settle()).toEqual(['secrets +a'])
})

test('rule 22: a name taken back under a wildcard is answered with what there is', () => {
  const script = new Script()
  script.publish({ clusters: [a] })
  const envoy = script.client().ask('clusters', { subscribe: ['*', 'a', 'gone'] })
  expect(envoy.settle()).toEqual(['clusters +a -gone'])
  expect(envoy.ask('clusters', { unsubscribe: ['a', 'gone'] }).settle()).toEqual(['clusters +a -gone'])
})

test('rule 23: taking back what was never asked for is ignored', () => {
  const script = new Script()
  script.publish({ clusters: [a], endpoints: [a] })
  const envoy = script
    .client()
    .ask('clusters')
    .ask('endpoints', { subscribe: ['a'] })
  envoy.settle()
  envoy.ask('clusters', { unsubscribe: ['x', 'a'] }).ask('endpoints', { unsubscribe: ['x'] })
  expect(envoy.settle()).toEqual([])
})

test('rule 24: after a reconnect only differences go out, removals included', () => {
  const script = new Script()
  script.publish({ clusters: [a, b], endpoints: [a, b] })
  const envoy = script
    .client()
    .ask('clusters', { has: { a: a.version, b: 'other', gone: '1' } })
    .ask('endpoints', { subscribe: ['a', 'b', 'gone'], has: { a: a.version, gone: '1' } })
  expect(envoy.settle()).toEqual(['clusters +b', 'endpoints +b', 'clusters -gone', 'endpoints -gone'])
})

test('rule 24: versions are believed on the first message of a type only', () => {
  const script = new Script()
  script.publish({ endpoints: [a, b] })
  const envoy = script.client().ask('endpoints', { subscribe: ['a'] })
  envoy.settle()
  expect(envoy.ask('endpoints', { subscribe: ['b'], has: { b: b.version } }).settle()).toEqual([
    'endpoints +b',
  ])
})

test('rule 25: the first wildcard request is answered even if there is nothing', () => {
  const script = new Script()
  script.publish({})
  const envoy = script.client().ask('clusters').ask('listeners')
  expect(envoy.settle()).toEqual(['clusters', 'listeners'])
  expect(envoy.ask('clusters').settle()).toEqual([])
})

test('rule 26, 53: a client that has everything is sent nothing', () => {
  const script = new Script()
  script.publish({ clusters: [a], scopes: [b] })
  const envoy = script
    .client()
    .ask('clusters', { has: { a: a.version } })
    .ask('scopes', { has: { b: b.version } })
  expect(envoy.settle()).toEqual([])
})

test('rule 28: gone and back while a response is on its way ends in the right state', () => {
  const script = new Script()
  script.publish({ clusters: [a] })
  const envoy = script.client().ask('clusters')
  envoy.settle()
  script.publish({ clusters: [] })
  expect(envoy.read()).toEqual(['clusters -a'])
  script.publish({ clusters: [a] })
  expect(envoy.ack('clusters').settle()).toEqual(['clusters +a'])
})

test('rule 28: back before the removal went out: nothing goes out', () => {
  const script = new Script()
  script.publish({ clusters: [a] })
  const envoy = script.client().ask('clusters')
  envoy.settle()
  script.publish({ clusters: [] })
  script.publish({ clusters: [a] })
  expect(envoy.settle()).toEqual([])
})

test('rule 30: one response of a type is in flight, and what changes meanwhile goes out once', () => {
  const script = new Script()
  script.publish({ clusters: [a] })
  const envoy = script.client().ask('clusters')
  expect(envoy.read()).toEqual(['clusters +a'])
  for (const content of ['2', '3', '4']) script.publish({ clusters: [resource('a', content), b] })
  expect(envoy.read()).toEqual([])
  expect(envoy.ack('clusters').take()[0]?.resources).toEqual([resource('a', '4'), b])
})

test('rule 31: a large response is split', () => {
  const script = new Script()
  const large = Array.from({ length: 30 }, (_, index) => resource(`c${index}`, 'x'.repeat(100_000)))
  script.publish({ clusters: large })
  const responses = script.client().ask('clusters').settle()
  expect(responses.map((response) => response.split('+').length - 1)).toEqual([11, 11, 8])
})

test('rule 32: held is what was acknowledged', () => {
  const script = new Script()
  script.publish({ clusters: [a] })
  const envoy = script.client().ask('clusters')
  envoy.take()
  expect([...envoy.client.subscriptions.clusters.held.keys()]).toEqual([])
  envoy.ack('clusters')
  expect([...envoy.client.subscriptions.clusters.held.keys()]).toEqual(['a'])
})

test('rule 17: the four steps of the protocol description', () => {
  const script = new Script()
  script.publish({ clusters: [a, b] })
  const envoy = script.client().ask('clusters')
  expect(envoy.settle()).toEqual(['clusters +a +b'])
  expect(envoy.ask('clusters', { subscribe: ['a'] }).settle()).toEqual(['clusters +a'])
  envoy.ask('clusters', { unsubscribe: ['*'] })
  script.publish({ clusters: [resource('a', '2'), resource('b', '2')] })
  expect(envoy.settle()).toEqual(['clusters +a'])
  envoy.ask('clusters', { unsubscribe: ['a'] })
  script.publish({ clusters: [resource('a', '3'), resource('b', '3')] })
  expect(envoy.settle()).toEqual([])
})

test('a wildcard that is asked for again is answered whole', () => {
  const script = new Script()
  script.publish({ scopes: [a, b] })
  const envoy = script.client().ask('scopes', { subscribe: ['*'] })
  expect(envoy.settle()).toEqual(['scopes +a +b'])
  expect(envoy.ask('scopes', { subscribe: ['*'] }).settle()).toEqual(['scopes +a +b'])
  envoy.ask('scopes', { unsubscribe: ['*'] })
  expect(envoy.ask('scopes', { subscribe: ['*'] }).settle()).toEqual(['scopes +a +b'])
})

test('rule 5: types do not know of each other', () => {
  const script = new Script()
  script.publish({ clusters: [a], endpoints: [a] })
  const envoy = script
    .client()
    .ask('clusters')
    .ask('endpoints', { subscribe: ['a'] })
  expect(envoy.read()).toEqual(['clusters +a', 'endpoints +a'])
  script.publish({ clusters: [a], endpoints: [resource('a', '2')] })
  expect(envoy.ack('endpoints').read()).toEqual(['endpoints +a'])
})
