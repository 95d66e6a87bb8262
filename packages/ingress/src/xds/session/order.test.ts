/** Rule 33: what one change needs travels in the order that loses no request. */
import { expect, test } from 'vitest'
import { makeResource } from '../resource.ts'
import { gateMs } from './client.ts'
import { resource, Script, ScriptedClient } from './script.ts'

const cluster = (name: string, content = '1') => resource(name, content, { endpoints: [name] })
const endpoints = (name: string, content = '1') => resource(name, content)
const scope = (name: string, content: string, ...clusters: string[]) => resource(name, content, { clusters })

const before = {
  clusters: [cluster('old')],
  endpoints: [endpoints('old')],
  scopes: [scope('host', '1', 'old')],
}

function settled(script: Script): ScriptedClient {
  script.publish(before)
  const envoy = script
    .client()
    .ask('clusters')
    .ask('endpoints', { subscribe: ['old'] })
    .ask('scopes')
  envoy.settle()
  return envoy
}

test('rule 33: a route moved to a new cluster: cluster, its endpoints, the scope behind them, the removal last', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({
    clusters: [cluster('new')],
    endpoints: [endpoints('new')],
    scopes: [scope('host', '2', 'new')],
  })
  expect(envoy.read()).toEqual(['clusters +new'])
  expect(envoy.ack('clusters').read()).toEqual([])
  expect(envoy.ask('endpoints', { subscribe: ['new'] }).read()).toEqual(['endpoints +new', 'scopes +host'])
  expect(envoy.ack('endpoints').read()).toEqual([])
  expect(envoy.ack('scopes').read()).toEqual(['clusters -old'])
  expect(envoy.ack('clusters').read()).toEqual(['endpoints -old'])
})

test('the endpoints may be asked for before the cluster is acknowledged', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({
    clusters: [cluster('old'), cluster('new')],
    endpoints: [endpoints('old'), endpoints('new')],
    scopes: [scope('host', '2', 'new')],
  })
  envoy.read()
  expect(envoy.ask('endpoints', { subscribe: ['new'] }).read()).toEqual(['endpoints +new'])
  expect(envoy.ack('clusters').read()).toEqual(['scopes +host'])
})

test('a change that needs no new cluster goes straight through', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({ ...before, scopes: [scope('host', '2', 'old')] })
  expect(envoy.read()).toEqual(['scopes +host'])
})

test('one scope that waits holds up no other', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({
    clusters: [cluster('old'), cluster('new')],
    scopes: [scope('host', '2', 'new'), scope('other', '1', 'old')],
  })
  expect(envoy.read()).toEqual(['clusters +new', 'scopes +other'])
})

test('rule 33: a wait ends after its deadline and is counted', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({
    ...before,
    clusters: [...before.clusters, cluster('new')],
    scopes: [scope('host', '2', 'new')],
  })
  expect(envoy.read()).toEqual(['clusters +new'])
  expect(envoy.client.wakeAt()).toBe(gateMs)
  script.now = gateMs - 1
  expect(envoy.read()).toEqual([])
  script.now = gateMs
  expect(envoy.read()).toEqual(['scopes +host'])
  expect(envoy.client.takeTimeouts()).toBe(1)
  expect(envoy.client.wakeAt()).toBeUndefined()
})

test('a cluster that nobody sends (one of the bootstrap) is not waited for', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({ ...before, scopes: [scope('host', '2', 'envoy-admin')] })
  expect(envoy.read()).toEqual(['scopes +host'])
})

test('secrets of a cluster are waited for like its endpoints', () => {
  const script = new Script()
  const envoy = settled(script)
  const secure = resource('secure', '1', { secrets: ['ca'] })
  script.publish({
    ...before,
    clusters: [...before.clusters, secure],
    secrets: [resource('ca', '1')],
    scopes: [scope('host', '2', 'secure')],
  })
  envoy.read()
  expect(envoy.ack('clusters').read()).toEqual([])
  expect(envoy.ask('secrets', { subscribe: ['ca'] }).read()).toEqual(['secrets +ca', 'scopes +host'])
})

test('rule 34: a replaced cluster gets its endpoints again, behind it', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({ ...before, clusters: [cluster('old', '2')] })
  expect(envoy.read()).toEqual(['clusters +old', 'endpoints +old'])
})

test('a burst of scopes goes in chunks, a few go alone', () => {
  const script = new Script()
  const envoy = settled(script)
  const hosts = (count: number, content: string) =>
    Array.from({ length: count }, (_, index) => scope(`h${index}`, content, 'old'))
  script.publish({ ...before, scopes: [...before.scopes, ...hosts(3, '1')] })
  expect(envoy.settle()).toEqual(['scopes +h0', 'scopes +h1', 'scopes +h2'])
  script.publish({ ...before, scopes: [...before.scopes, ...hosts(600, '2')] })
  expect(
    envoy
      .settle()
      .map((response) => response.split(' ').length - 1)
      .slice(0, 3),
  ).toEqual([250, 250, 100])
})

test('scopes of one host go together: each response has Envoy copy its map of all', () => {
  const script = new Script()
  const envoy = settled(script)
  const scopes = ['http/a', 'https/a', 'http/b', 'https/b', 'https/c'].map((name) => scope(name, '1', 'old'))
  script.publish({ ...before, scopes: [...before.scopes, ...scopes] })
  expect(envoy.settle()).toEqual(['scopes +http/a +https/a', 'scopes +http/b +https/b', 'scopes +https/c'])
})

test('a redirect waits for the clusters of what it leads to, as long as that does', () => {
  const script = new Script()
  const envoy = settled(script)
  const host = [scope('http/a', '1'), scope('https/a', '1', 'new')]
  const after = {
    clusters: [...before.clusters, cluster('new')],
    endpoints: [...before.endpoints, endpoints('new')],
    scopes: [...before.scopes, ...host, scope('http/b', '1')],
  }
  script.publish(after)
  expect(envoy.read()).toEqual(['clusters +new', 'scopes +http/b'])
  envoy.ask('endpoints', { subscribe: ['new'] }).read()
  expect(envoy.ack('endpoints').ack('scopes').read()).toEqual([])
  expect(envoy.ack('clusters').read()).toEqual(['scopes +http/a +https/a'])

  const late = new Script()
  const other = settled(late)
  late.publish(after)
  expect(other.settle()).toEqual(['clusters +new', 'scopes +http/b'])
  expect(other.client.wakeAt()).toBe(gateMs)
  late.now = gateMs
  expect(other.read()).toEqual(['scopes +http/a +https/a'])
  expect(other.client.takeTimeouts()).toBe(1)
})

test('two switches in a row end with the second, and nothing that a scope still names is removed', () => {
  const script = new Script()
  const envoy = settled(script)
  const to = (name: string) => ({
    clusters: [cluster(name)],
    endpoints: [endpoints(name)],
    scopes: [scope('host', name, name)],
  })
  script.publish(to('b'))
  expect(envoy.read()).toEqual(['clusters +b'])
  script.publish(to('c'))
  expect(envoy.ack('clusters').read()).toEqual(['clusters +c'])
  envoy.ack('clusters').ask('endpoints', { subscribe: ['b', 'c'] })
  expect(envoy.read()).toEqual(['endpoints +c -b', 'scopes +host'])
  envoy.ack('endpoints').ack('scopes')
  expect(envoy.read()).toEqual(['clusters -old -b'])
})

test('rule 35: a cluster whose endpoints are still out is not sent again by other changes', () => {
  const script = new Script()
  const envoy = settled(script)
  const warming = { ...before, clusters: [...before.clusters, cluster('new')] }
  script.publish(warming)
  expect(envoy.read()).toEqual(['clusters +new'])
  envoy.ack('clusters')
  script.publish({ ...warming, clusters: [...warming.clusters, cluster('third')] })
  expect(envoy.read()).toEqual(['clusters +third'])
})

test('rule 35: when the wait for a cluster ends, its endpoints are sent again, and the cluster is not', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({
    clusters: [...before.clusters, cluster('new')],
    endpoints: [...before.endpoints, endpoints('new')],
    scopes: [scope('host', '2', 'new')],
  })
  expect(envoy.read()).toEqual(['clusters +new'])
  expect(envoy.ask('endpoints', { subscribe: ['new'] }).read()).toEqual(['endpoints +new'])
  expect(envoy.ack('endpoints').read()).toEqual([])
  script.now = gateMs
  expect(envoy.read()).toEqual(['endpoints +new', 'scopes +host'])
})

test('rule 36: a listener that names another table: the new one follows, the old one leaves after it', () => {
  const script = new Script()
  const listener = (...bytes: readonly number[]) => makeResource('http', Uint8Array.from(bytes))
  script.publish({ listeners: [listener()], routes: [resource('one', '1')] })
  const envoy = script
    .client()
    .ask('listeners')
    .ask('routes', { subscribe: ['one'] })
  envoy.settle()
  script.publish({ listeners: [listener(10, 0)], routes: [resource('two', '1')] })
  expect(envoy.read()).toEqual(['listeners +http'])
  envoy.ask('routes', { subscribe: ['two'] })
  expect(envoy.read()).toEqual(['routes +two'])
  expect(envoy.ack('routes').read()).toEqual([])
  expect(envoy.ack('listeners').read()).toEqual(['routes -one'])
})

test('a cluster that is on its way out is not there for a scope that needs it again', () => {
  const script = new Script()
  const envoy = settled(script)
  const both = { ...before, clusters: [cluster('old'), resource('new', '1')] }
  script.publish(both)
  envoy.settle()
  script.publish(before)
  expect(envoy.read()).toEqual(['clusters -new'])
  script.publish({ ...both, scopes: [scope('host', '2', 'new')] })
  expect(envoy.read()).toEqual([])
  expect(envoy.ack('clusters').read()).toEqual(['clusters +new'])
})

test('a cluster of a refused response that is wanted no more leaves after the scope that needs it', () => {
  const script = new Script()
  const envoy = settled(script)
  script.publish({ ...before, clusters: [cluster('old', '2'), cluster('bad')] })
  expect(envoy.read()).toContain('clusters +old +bad')
  script.publish({ ...before, clusters: [resource('new', '1')], scopes: [scope('host', '2', 'new')] })
  envoy.nack('clusters', 'no')
  const seen = envoy.settle()
  expect(seen.slice(-2)).toEqual(['scopes +host', 'clusters -old'])
})

test('the cluster of what is last good of a refused table stays, also where it came over another stream', () => {
  const script = new Script()
  const table = (content: string, name: string) => resource('table', content, { clusters: [name] })
  const stream = () => new ScriptedClient(script, script.hub.connect({ id: 'envoy', build: '1' }, 'separate'))
  script.publish({ clusters: [resource('old', '1')], routes: [table('1', 'old')] })
  const clusters = stream().ask('clusters')
  clusters.settle()
  const routes = stream().ask('routes', { subscribe: ['table'] })
  routes.settle()
  script.publish({ clusters: [resource('new', '1')], routes: [table('bad', 'new')] })
  clusters.settle()
  routes.settleRefusing('routes', 'no')
  script.hub.disconnect(routes.client)
  expect(
    stream()
      .ask('routes', { subscribe: ['table'] })
      .settle(),
  ).toEqual(['routes +table'])
  expect(clusters.settle()).toEqual([])
})

test('the cluster of what was last good of a refused table leaves once another is', () => {
  const script = new Script()
  const table = (content: string, name: string) => resource('table', content, { clusters: [name] })
  const all = { clusters: [resource('new', '1')] }
  script.publish({ clusters: [resource('old', '1')], routes: [table('1', 'old')] })
  const envoy = script
    .client()
    .ask('clusters')
    .ask('routes', { subscribe: ['table'] })
  envoy.settle()
  script.publish({ ...all, routes: [table('bad', 'new')] })
  envoy.take()
  envoy.ack('clusters').take()
  envoy.nack('routes', 'no').settle()
  script.publish({ ...all, routes: [table('2', 'new')] })
  envoy.take()
  script.publish({ ...all, routes: [table('worse', 'new')] })
  envoy.ack('routes').take()
  expect(envoy.nack('routes', 'no').settle()).toEqual(['clusters -old'])
})
