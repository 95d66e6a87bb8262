import { expect, test } from 'vitest'
import type { Resource } from '../resource.ts'
import { resource, Script } from './script.ts'

const one = resource('one', '1', { endpoints: ['one'] })
const two = resource('two', '1', { endpoints: ['two'] })
const endpoints = [resource('one', 'e'), resource('two', 'e')]
const scopes = [resource('http/a.test', 's', { clusters: ['one'] })]

function part(clusters: readonly Resource[], endpoints: readonly Resource[]) {
  return { clusters: byName(clusters), endpoints: byName(endpoints) }
}

function byName(all: readonly Resource[]) {
  return new Map(all.map((entry) => [entry.name, entry]))
}

test('who has nothing gets clusters and endpoints as they are foreseen, and all else once it is published', () => {
  const script = new Script()
  script.hub.foresee(part([], []))
  const envoy = script.client().ask('clusters').ask('scopes')
  expect(envoy.read()).toEqual([])
  script.hub.foresee(part([one], [resource('one', 'e')]))
  expect(envoy.read()).toEqual(['clusters +one'])
  envoy.ack('clusters').ask('endpoints', { subscribe: ['one', 'gone'] })
  expect(envoy.read()).toEqual(['endpoints +one'])
  envoy.ack('endpoints')
  script.hub.foresee(part([two], [resource('two', 'e')]))
  expect(envoy.read()).toEqual(['clusters +two'])
  envoy.ack('clusters').ask('endpoints', { subscribe: ['two'] })
  expect(envoy.read()).toEqual(['endpoints +two'])
  envoy.ack('endpoints')
  script.publish({ clusters: [one, two], endpoints, scopes })
  const rest = envoy.settle()
  expect(rest).toContain('endpoints -gone')
  expect(rest).toContain('scopes +http/a.test')
  expect(rest.filter((text) => text.startsWith('clusters'))).toEqual([])
})

test('who has nothing gets the runtime at once, as an Envoy asks for clusters only after it', () => {
  const script = new Script()
  const envoy = script.client().ask('runtime', { subscribe: ['dynamic'] })
  script.hub.foresee({ runtime: byName([resource('dynamic', '1')]) })
  expect(envoy.read()).toEqual(['runtime +dynamic'])
})

test('who has something waits until all is known, so that nothing is taken away from it', () => {
  const script = new Script()
  script.hub.foresee(part([one], [resource('one', 'e')]))
  const has = { one: one.version, two: two.version, old: 'x' }
  const envoy = script
    .client()
    .ask('clusters', { has })
    .ask('endpoints', { subscribe: ['one', 'two'] })
  expect(envoy.read()).toEqual([])
  script.publish({ clusters: [one, two], endpoints })
  expect(envoy.settle()).toEqual(['endpoints +one +two', 'clusters -old'])
})

test('what was foreseen and is not published after all is taken away', () => {
  const script = new Script()
  script.hub.foresee(part([one, two], endpoints))
  const envoy = script.client().ask('clusters')
  expect(envoy.read()).toEqual(['clusters +one +two'])
  envoy.ack('clusters')
  script.publish({ clusters: [one], endpoints })
  expect(envoy.settle()).toEqual(['clusters -two'])
})
