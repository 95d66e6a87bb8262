/** Rules 40 to 43: what an Envoy refuses stays alone with it. */
import { fromBinary } from '@bufbuild/protobuf'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import { expect, test } from 'vitest'
import { makeResource, type ResourceType } from '../resource.ts'
import { resource, Script, type ScriptedClient } from './script.ts'
import { standIn } from './stand-in.ts'
import { isResource } from './subscription.ts'

/** What comes until nothing more does, of which all of the type is refused. */
function refusing(envoy: ScriptedClient, type: ResourceType): readonly string[] {
  const seen: string[] = []
  for (let round = 0; round < 10; round++) {
    seen.push(...envoy.read())
    if (envoy.client.subscriptions[type].flight === undefined) return seen
    envoy.nack(type, 'no')
  }
  throw new Error(`there is no end: ${seen.join(', ')}`)
}

const scope = (name: string, content: string, ...clusters: string[]) => resource(name, content, { clusters })

test('rule 41: the culprit of a refused response is found by sending each alone, the others arrive', () => {
  const script = new Script()
  const [a, bad, c] = [resource('a', '1'), resource('bad', '1'), resource('c', '1')]
  script.publish({ clusters: [a, bad, c] })
  const envoy = script.client().ask('clusters')
  expect(envoy.read()).toEqual(['clusters +a +bad +c'])
  expect(envoy.nack('clusters', 'no').read()).toEqual(['clusters +a'])
  expect(envoy.ack('clusters').read()).toEqual(['clusters +bad'])
  expect(envoy.nack('clusters', 'bad: no').read()).toEqual(['clusters +c'])
  expect(envoy.ack('clusters').read()).toEqual([])
  expect(script.refused).toEqual([
    {
      type: 'clusters',
      name: 'bad',
      version: bad.version,
      message: 'bad: no',
      build: '1.40.0',
      node: 'envoy',
      heldElsewhere: false,
      holds: '',
      isAlone: true,
    },
  ])
})

test('rule 42: refused content is never sent again, changed content is, and then it is cleared', () => {
  const script = new Script()
  script.publish({ scopes: [scope('host', '1')] })
  const envoy = script.client().ask('scopes')
  envoy.settle()
  script.publish({ scopes: [scope('host', 'bad')] })
  expect(envoy.read()).toEqual(['scopes +host'])
  expect(envoy.nack('scopes', 'bad').settle()).toEqual([])
  script.publish({ scopes: [scope('host', 'bad')] })
  expect(envoy.settle()).toEqual([])
  expect(envoy.client.subscriptions.scopes.held.get('host')?.version).toBe(scope('host', '1').version)
  script.publish({ scopes: [scope('host', '3')] })
  expect(envoy.settle()).toEqual(['scopes +host'])
  expect(script.cleared).toEqual(['scopes/host'])
  expect(script.refused).toHaveLength(1)
})

test('content that goes back to what the Envoy holds is well again, and refused content is tried anew then', () => {
  const script = new Script()
  const [good, bad] = [scope('host', '1'), scope('host', 'bad')]
  script.publish({ scopes: [good] })
  const envoy = script.client().ask('scopes')
  envoy.settle()
  script.publish({ scopes: [bad] })
  expect(refusing(envoy, 'scopes')).toEqual(['scopes +host'])
  script.publish({ scopes: [good] })
  expect(script.cleared).toEqual(['scopes/host'])
  script.publish({ scopes: [bad] })
  expect(envoy.read()).toEqual(['scopes +host'])
  script.publish({ scopes: [good] })
  envoy.nack('scopes', 'bad')
  expect(script.refused).toHaveLength(2)
  expect(script.cleared).toEqual(['scopes/host', 'scopes/host'])
  expect(envoy.read()).toEqual([])
})

test('rule 43: an Envoy that starts afresh gets what was last good, with the clusters that it needs', () => {
  const script = new Script()
  const good = scope('host', '1', 'old')
  script.publish({ clusters: [resource('old', '1')], scopes: [good] })
  const envoy = script.client().ask('clusters').ask('scopes')
  envoy.settle()
  script.publish({ clusters: [resource('new', '1')], scopes: [scope('host', 'bad', 'new')] })
  expect(envoy.read()).toEqual(['clusters +new'])
  expect(envoy.ack('clusters').read()).toEqual(['scopes +host'])
  expect(envoy.nack('scopes', 'bad').settle()).toEqual([])
  const second = script.client('second').ask('clusters').ask('scopes')
  expect(second.settle()).toEqual(['clusters +new +old', 'scopes', 'scopes +host'])
  expect(second.client.subscriptions.scopes.held.get('host')?.version).toBe(good.version)
  script.publish({ clusters: [resource('new', '1')], scopes: [scope('host', '3', 'new')] })
  expect(envoy.settle()).toEqual(['scopes +host', 'clusters -old'])
})

test('another build of Envoy is tried once', () => {
  const script = new Script()
  script.publish({ scopes: [scope('host', 'bad')] })
  script.client('one', '1.40.0').ask('scopes').settleRefusing('scopes', 'bad')
  const two = script.client('two', '1.40.0').ask('scopes')
  expect(two.settle()).toEqual(['scopes +host'])
  expect(two.client.subscriptions.scopes.held.get('host')?.version).toBe(standIn('scopes', 'host')?.version)
  expect(script.client('three', '1.41.0').ask('scopes').settle()).toEqual(['scopes +host'])
})

test('what one build takes another may refuse: its words are told, until no Envoy of it is left', () => {
  const script = new Script()
  script.publish({ scopes: [scope('host', '1')] })
  script.client('old', '1.39.0').ask('scopes').settle()
  const one = script.client('one', '1.40.0').ask('scopes')
  one.take()
  one.nack('scopes', 'odd').settle()
  expect(script.refused).toMatchObject([{ node: 'one', build: '1.40.0', heldElsewhere: false }])
  script.client('older', '1.39.0').ask('scopes').settle()
  expect(script.cleared).toEqual([])
  script.hub.disconnect(one.client)
  script.hub.left('1.40.0')
  expect(script.cleared).toEqual(['scopes/host'])
})

test('what was good for one build and another refuses, that other is asked once', () => {
  const script = new Script()
  script.publish({ scopes: [scope('host', '1')] })
  const old = script.client('old', '1.39.0')
  old.ask('scopes').settle()
  script.publish({ scopes: [scope('host', '2')] })
  old.settleRefusing('scopes', 'bad')
  script.client('one', '1.40.0').ask('scopes').settleRefusing('scopes', 'bad')
  const [two] = script.client('two', '1.40.0').ask('scopes').take()
  expect(two?.resources).toEqual([standIn('scopes', 'host')])
})

test('what another Envoy holds is withheld only from the one that refused it', () => {
  const script = new Script()
  script.publish({ scopes: [scope('host', '1')] })
  script.client('one').ask('scopes').settle()
  const two = script.client('two').ask('scopes')
  two.take()
  expect(two.nack('scopes', 'odd').settle()).toEqual(['scopes +host'])
  expect(two.client.subscriptions.scopes.held.get('host')?.version).toBe(standIn('scopes', 'host')?.version)
  expect(two.settle()).toEqual([])
  expect(script.client('three').ask('scopes').settle()).toEqual(['scopes +host'])
  expect(script.refused).toMatchObject([{ node: 'two', heldElsewhere: true }])
})

test('who refuses what was last good, too, is left with nothing, and is asked no more', () => {
  const script = new Script()
  const listener = (...bytes: readonly number[]) => makeResource('http', Uint8Array.from(bytes))
  script.publish({ listeners: [listener()], scopes: [scope('host', '1')] })
  const one = script.client('one').ask('listeners').ask('scopes')
  one.settle()
  script.publish({ listeners: [listener(10, 0)], scopes: [scope('host', '1')] })
  one.take()
  one.nack('listeners', 'no').settle()
  const two = script.client('two').ask('listeners').ask('scopes')
  expect(refusing(two, 'listeners')).toEqual(['listeners +http', 'scopes +host', 'listeners +http'])
  expect(refusing(two, 'scopes')).toEqual(['scopes +host'])
  script.publish({ listeners: [listener(10, 1, 0)], scopes: [scope('host', '2')] })
  expect(two.settle()).toEqual(['listeners +http', 'scopes +host'])
})

test('what was refused, is deleted and comes back as it was is tried and told again', () => {
  const script = new Script()
  script.publish({ scopes: [scope('host', '1')] })
  const envoy = script.client().ask('scopes')
  envoy.settle()
  for (const times of [1, 2]) {
    script.publish({ scopes: [scope('host', 'bad')] })
    envoy.take()
    envoy.nack('scopes', 'no').settle()
    expect(script.refused).toHaveLength(times)
    script.publish({})
    expect(envoy.settle()).toEqual(['scopes -host'])
  }
})

test('who took what stands in is not asked again by word of others', () => {
  const script = new Script()
  const listener = (...bytes: readonly number[]) => makeResource('http', Uint8Array.from(bytes))
  script.publish({ listeners: [listener()] })
  const one = script.client('one').ask('listeners')
  one.settle()
  script.publish({ listeners: [listener(10, 0)] })
  one.take()
  one.nack('listeners', 'no').settle()
  const two = script.client('two').ask('listeners')
  two.take()
  expect(two.nack('listeners', 'no').settle()).toEqual(['listeners +http'])
  two.client.touch('listeners', 'http')
  expect(two.settle()).toEqual([])
  expect(two.client.subscriptions.listeners.hasRefused('http', listener(10, 0).version)).toBe(true)
})

test('a removal that is refused is not said again, nor that something is not there', () => {
  const script = new Script()
  script.publish({ clusters: [resource('a', '1')] })
  const envoy = script
    .client()
    .ask('clusters')
    .ask('secrets', { subscribe: ['s'] })
  expect(refusing(envoy, 'secrets')).toEqual(['clusters +a', 'secrets -s'])
  envoy.ack('clusters')
  script.publish({})
  expect(refusing(envoy, 'clusters')).toEqual(['clusters -a'])
  script.publish({ clusters: [resource('a', '2')], secrets: [resource('s', '1')] })
  expect(envoy.settle()).toEqual(['clusters +a', 'secrets +s'])
})

test('what a tool refuses, on a stream for one type, is its own affair', () => {
  const script = new Script()
  script.publish({ clusters: [resource('a', '1')] })
  const tool = script.hub.connect({ id: 'tool', build: '' }, 'separate')
  tool.request('clusters', { subscribe: ['*'], unsubscribe: [], initialVersions: new Map() })
  const [response] = tool.next(0)
  script.hub.settle(tool, 'clusters', response?.nonce ?? '', 'no')
  expect(script.refused).toMatchObject([{ node: 'tool', heldElsewhere: true }])
  expect(tool.next(0)).toEqual([])
  const other = script.hub.connect({ id: 'other', build: '' }, 'separate')
  other.request('clusters', { subscribe: ['*'], unsubscribe: [], initialVersions: new Map() })
  expect(other.next(0)).toMatchObject([{ resources: [{ name: 'a' }] }])
})

test('a listener may be refused for a reason of the machine: only that Envoy goes without', () => {
  const script = new Script()
  script.publish({ listeners: [makeResource('http', new Uint8Array())] })
  const one = script.client('one').ask('listeners')
  one.settleRefusing('listeners', 'address in use')
  expect(one.settle()).toEqual([])
  expect(script.client('two').ask('listeners').settle()).toEqual(['listeners +http'])
})

test('scopes of a refused chunk are sent again in other bytes', () => {
  const script = new Script()
  script.publish({ scopes: [scope('a', '1'), scope('b', 'bad')] })
  const envoy = script.client().ask('scopes')
  expect(envoy.take().map(({ variant }) => variant)).toEqual([0])
  envoy.nack('scopes', 'bad')
  expect(envoy.take().map(({ variant }) => variant)).toEqual([1])
  envoy.ack('scopes')
  expect(envoy.take().map(({ variant }) => variant)).toEqual([2])
})

test('an Envoy that comes back gets scopes in bytes that it never saw: it may remember what it did not apply', () => {
  const script = new Script()
  const before = [scope('a', '1')]
  script.publish({ scopes: before })
  const first = script.client().ask('scopes')
  first.settle()
  script.publish({ scopes: [scope('a', '2'), scope('b', 'bad')] })
  const [refused] = first.take()
  expect(refused?.variant).toBe(0)
  first.nack('scopes', 'bad')
  script.hub.disconnect(first.client)
  const has = { a: before[0]?.version ?? '' }
  const variants = [script.client(), script.client()].flatMap((envoy) =>
    envoy
      .ask('scopes', { has })
      .take()
      .map(({ variant }) => variant),
  )
  expect(variants).toEqual([1, 2])
})

test('a scope of a refused chunk that has to wait is sent in other bytes then, too', () => {
  const script = new Script()
  const world = (content: string) => ({
    clusters: [resource('c', content)],
    scopes: [scope('http/a', '1', 'c'), scope('http/b', 'bad')],
  })
  script.publish(world('1'))
  const envoy = script.client().ask('clusters')
  envoy.settle()
  expect(envoy.ask('scopes').read()).toEqual(['scopes +http/a +http/b'])
  envoy.nack('scopes', 'bad')
  script.publish(world('2'))
  expect(envoy.read()).toEqual(['clusters +c', 'scopes +http/b'])
  envoy.nack('scopes', 'bad').take()
  envoy.ack('scopes').ack('clusters')
  expect(envoy.take().map(({ resources: [one], variant }) => [one?.name, variant > 0])).toEqual([
    ['http/a', true],
  ])
})

test('of two scopes of one host in one response the refused one stays alone, or the one whose cluster was', () => {
  const script = new Script()
  const world = (http: string, https: string, clusters: readonly string[] = ['old']) => ({
    clusters: clusters.map((name) => resource(name, '1', { endpoints: [name] })),
    endpoints: clusters.map((name) => resource(name, '1')),
    scopes: [scope('http/a', http), scope('https/a', https, clusters.at(-1) ?? '')],
  })
  script.publish(world('1', '1'))
  const envoy = script
    .client()
    .ask('clusters')
    .ask('endpoints', { subscribe: ['old'] })
    .ask('scopes')
  envoy.settle()
  script.publish(world('2', 'bad'))
  expect(envoy.read()).toEqual(['scopes +http/a +https/a'])
  expect(envoy.nack('scopes', 'no').read()).toEqual(['scopes +http/a'])
  expect(envoy.ack('scopes').read()).toEqual(['scopes +https/a'])
  expect(envoy.nack('scopes', 'no').settle()).toEqual([])
  expect(script.refused.map(({ name }) => name)).toEqual(['https/a'])
  const { held } = envoy.client.subscriptions.scopes
  expect(held.get('http/a')?.version).toBe(scope('http/a', '2').version)
  expect(held.get('https/a')?.version).toBe(scope('https/a', '1', 'old').version)
  script.publish(world('3', '3', ['old', 'new']))
  expect(envoy.read()).toEqual(['clusters +new'])
  expect(envoy.nack('clusters', 'no').read()).toEqual(['scopes +http/a'])
  expect(envoy.ack('scopes').settle()).toEqual([])
})

test('a scope whose new cluster was refused keeps its old content and its old cluster', () => {
  const script = new Script()
  script.publish({ clusters: [resource('old', '1')], scopes: [scope('host', '1', 'old')] })
  const envoy = script.client().ask('clusters').ask('scopes')
  envoy.settle()
  script.publish({ clusters: [resource('new', 'bad')], scopes: [scope('host', '2', 'new')] })
  expect(envoy.read()).toEqual(['clusters +new'])
  expect(envoy.nack('clusters', 'bad').settle()).toEqual([])
  script.publish({ clusters: [resource('new', '2')], scopes: [scope('host', '2', 'new')] })
  expect(envoy.settle()).toEqual(['clusters +new', 'scopes +host', 'clusters -old'])
})

test('a refused resource that is taken away is cleared', () => {
  const script = new Script()
  script.publish({ scopes: [scope('host', 'bad')] })
  script.client().ask('scopes').settleRefusing('scopes', 'bad')
  script.publish({})
  expect(script.cleared).toEqual(['scopes/host'])
})

test('rule 42, 43: what was refused before a restart is withheld from the first Envoy on, who keeps what it has', () => {
  const script = new Script()
  const bad = scope('host', 'bad', 'new')
  const known = (of: { readonly name: string; readonly version: string }) => ({
    type: 'scopes' as const,
    name: of.name,
    version: of.version,
    build: '1.40.0',
    message: 'bad',
  })
  const other = scope('other', '1', 'new')
  script.publish({ clusters: [resource('new', '1')], scopes: [bad, other] })
  script.hub.recall([known(bad), known(scope('other', 'old')), known(scope('gone', '1'))])
  const fresh = script.client('fresh').ask('clusters').ask('scopes')
  expect(fresh.settle()).toEqual(['clusters +new', 'scopes +host', 'scopes +other'])
  expect(fresh.client.subscriptions.scopes.held.get('host')?.version).toBe(standIn('scopes', 'host')?.version)
  const good = scope('host', '1', 'old')
  const back = script
    .client('back')
    .ask('clusters', { has: { old: '1' } })
    .ask('scopes', { has: { host: good.version } })
  expect(back.settle()).toEqual(['clusters +new', 'scopes +other'])
  expect(back.client.subscriptions.scopes.held.get('host')?.version).toBe(good.version)
  expect(script.refused).toEqual([])
  script.publish({ clusters: [resource('new', '1')], scopes: [scope('host', '3', 'new'), other] })
  expect(fresh.settle()).toEqual(['scopes +host'])
  expect(script.cleared).toEqual(['scopes/host'])
})

test('what was refused before a restart by another build is tried, and then it is cleared', () => {
  const script = new Script()
  const bad = scope('host', 'bad')
  script.publish({ scopes: [bad] })
  script.hub.recall([{ type: 'scopes', name: 'host', version: bad.version, build: '1.39.0', message: 'bad' }])
  expect(script.client().ask('scopes').settle()).toEqual(['scopes +host'])
  expect(script.cleared).toEqual(['scopes/host'])
})

test('a host that was never good with an Envoy answers 503 there, until its content is good', () => {
  const script = new Script()
  script.publish({ scopes: [scope('http/a.test', 'bad')], routes: [resource('https/a.test', 'bad')] })
  const envoy = script
    .client()
    .ask('scopes')
    .ask('routes', { subscribe: ['https/a.test'] })
  envoy.take()
  expect(envoy.nack('scopes', 'no').nack('routes', 'no').settle()).toEqual([
    'routes +https/a.test',
    'scopes +http/a.test',
  ])
  const held = envoy.client.subscriptions.scopes.held.get('http/a.test')
  const bytes = held !== undefined && isResource(held) ? held.bytes : new Uint8Array()
  const { key, routeConfiguration } = fromBinary(ScopedRouteConfigurationSchema, bytes)
  expect(key?.fragments[0]?.type.value).toBe('http/a.test')
  expect(routeConfiguration?.virtualHosts[0]?.routes[0]?.action).toMatchObject({ value: { status: 503 } })
  expect(script.refused).toHaveLength(2)
  script.publish({ scopes: [scope('http/a.test', 'good')], routes: [resource('https/a.test', 'good')] })
  expect(envoy.settle()).toEqual(['routes +https/a.test', 'scopes +http/a.test'])
  expect(script.cleared).toEqual(['routes/https/a.test', 'scopes/http/a.test'])
})
