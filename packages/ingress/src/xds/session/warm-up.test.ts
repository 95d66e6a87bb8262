import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import { HttpConnectionManagerSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import { expect, test } from 'vitest'
import { makeResource } from '../resource.ts'
import { resource, Script } from './script.ts'
import { makeWarmListener, warmListenerName } from './warm-listener.ts'
import { warmMs } from './warm-up.ts'

function scopedListener(name: string) {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: 'scopedRoutes', value: { name: 'scopes' } },
  })
  const typedConfig = anyPack(HttpConnectionManagerSchema, manager)
  const filter = { name: 'manager', configType: { case: 'typedConfig' as const, value: typedConfig } }
  return makeResource(
    name,
    toBinary(ListenerSchema, create(ListenerSchema, { name, filterChains: [{ filters: [filter] }] })),
  )
}

const plain = makeResource('stats', toBinary(ListenerSchema, create(ListenerSchema, { name: 'stats' })))
const http = scopedListener('http')
const hosts = (count: number) => Array.from({ length: count }, (_, index) => resource(`h${index}`, '1'))

test('the warm listener has no port and the same scoped routes', () => {
  const warm = makeWarmListener(
    new Map([
      ['stats', plain],
      ['http', http],
    ]),
  )
  expect(warm?.scoped).toEqual(new Set(['http']))
  const listener = fromBinary(ListenerSchema, warm?.resource.bytes ?? new Uint8Array())
  expect(listener.bindToPort).toBe(false)
  const config = listener.filterChains[0]?.filters[0]?.configType
  const manager =
    config?.case === 'typedConfig' ? anyUnpack(config.value, HttpConnectionManagerSchema) : undefined
  expect(manager?.routeSpecifier.value).toMatchObject({ name: 'scopes' })
  expect(makeWarmListener(new Map([['stats', plain]]))).toBeUndefined()
})

test('a started Envoy gets its listeners after it has the whole table, then the warm one goes', () => {
  const script = new Script()
  script.publish({ listeners: [http, plain], scopes: hosts(600) })
  const envoy = script.client().ask('listeners')
  expect(envoy.settle()).toEqual([`listeners +${warmListenerName}`])
  envoy.ask('scopes')
  const chunks = [1, 2, 3].map(() => {
    const [response] = envoy.read()
    envoy.ack('scopes')
    return (response?.split(' ').length ?? 0) - 1
  })
  expect(chunks).toEqual([250, 250, 100])
  expect(envoy.settle()).toEqual(['listeners +http +stats', `listeners -${warmListenerName}`])
})

test('without a scope there is nothing to wait for but the empty answer', () => {
  const script = new Script()
  script.publish({ listeners: [http] })
  const envoy = script.client().ask('listeners').ask('scopes')
  expect(envoy.settle()).toEqual([
    `listeners +${warmListenerName}`,
    'scopes',
    'listeners +http',
    `listeners -${warmListenerName}`,
  ])
})

test('an Envoy that reconnects keeps its listeners', () => {
  const script = new Script()
  script.publish({ listeners: [http], scopes: hosts(2) })
  const envoy = script
    .client()
    .ask('listeners', { has: { http: http.version } })
    .ask('scopes')
  expect(envoy.settle()).toEqual(['scopes +h0 +h1'])
})

test('one that lost its stream while warming goes on', () => {
  const script = new Script()
  script.publish({ listeners: [http], scopes: hosts(1) })
  const warm = makeWarmListener(new Map([['http', http]]))
  const envoy = script
    .client()
    .ask('listeners', { has: { [warmListenerName]: warm?.resource.version ?? '' } })
  envoy.ask('scopes', { has: { h0: 'other' } })
  expect(envoy.settle()).toEqual(['scopes +h0', 'listeners +http', `listeners -${warmListenerName}`])
})

test('the real listeners come after the deadline even if the scopes are never asked for', () => {
  const script = new Script()
  script.publish({ listeners: [http], scopes: hosts(1) })
  const envoy = script.client().ask('listeners')
  envoy.settle()
  expect(envoy.client.wakeAt()).toBe(warmMs)
  script.now = warmMs
  expect(envoy.settle()).toContain('listeners +http')
  expect(envoy.client.takeTimeouts()).toBe(1)
})

test('a refused warm listener stops nothing', () => {
  const script = new Script()
  script.publish({ listeners: [http], scopes: hosts(1) })
  const envoy = script.client().ask('listeners')
  envoy.take()
  expect(envoy.nack('listeners', 'no').settle()).toEqual(['listeners +http'])
})

test('the first host after none: the table is warm again before the port opens', () => {
  const script = new Script()
  script.publish({ listeners: [plain] })
  const envoy = script.client().ask('listeners').ask('scopes')
  expect(envoy.settle()).toEqual(['listeners +stats', 'scopes'])
  script.publish({ listeners: [plain, http], scopes: hosts(1) })
  expect(envoy.settle()).toEqual([
    `listeners +${warmListenerName}`,
    'scopes +h0',
    'listeners +http',
    `listeners -${warmListenerName}`,
  ])
})
