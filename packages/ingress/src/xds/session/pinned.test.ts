/** Clusters that only what is last good of something refused needs: who has them keeps them, and no longer than that. */
import { expect, test } from 'vitest'
import { resource, Script, ScriptedClient } from './script.ts'

const one = (name: string, version: string, cluster: string) =>
  resource(name, version, { clusters: [cluster] })

test('it stays wanted where the stream of clusters is away while the table is refused', () => {
  const script = new Script()
  const stream = () => new ScriptedClient(script, script.hub.connect({ id: 'envoy', build: '1' }, 'separate'))
  script.publish({ clusters: [resource('old', '1')], routes: [one('table', '1', 'old')] })
  const clusters = stream().ask('clusters')
  clusters.settle()
  const routes = stream().ask('routes', { subscribe: ['table'] })
  routes.settle()
  script.publish({
    clusters: [resource('old', '1'), resource('new', '1')],
    routes: [one('table', 'bad', 'new')],
  })
  clusters.settle()
  expect(routes.read()).toEqual(['routes +table'])
  script.hub.disconnect(clusters.client)
  routes.nack('routes', 'no')
  script.publish({ clusters: [resource('new', '1')], routes: [one('table', 'bad', 'new')] })
  expect(stream().ask('clusters').read()).toEqual(['clusters +new +old'])
})

test('an Envoy of another build that refuses it is not asked again', () => {
  const script = new Script()
  script.publish({ clusters: [resource('old', '1')], routes: [one('table', '1', 'old')] })
  const first = script
    .client('first', '1.40.0')
    .ask('clusters')
    .ask('routes', { subscribe: ['table'] })
  first.settle()
  script.publish({ clusters: [resource('new', '1')], routes: [one('table', 'bad', 'new')] })
  first.take()
  first.ack('clusters').take()
  first.nack('routes', 'no').settle()
  const other = script.client('other', '1.30.0').ask('clusters')
  for (let round = 0; round < 9; round++) {
    const flight = other.take()[0]
    if (flight?.resources.some(({ name }) => name === 'old')) other.nack('clusters', 'not mine')
    else if (flight !== undefined) other.ack('clusters')
  }
  expect(other.read()).toEqual([])
  expect([...other.client.subscriptions.clusters.held.keys()]).toEqual(['new'])
})

test('a host that is gone when it is refused is told to nobody, and its clusters leave', () => {
  const script = new Script()
  const world = (version: string) => ({
    clusters: [resource('old', '1')],
    scopes: [one('host', version, 'old')],
  })
  script.publish(world('1'))
  const envoy = script.client().ask('clusters').ask('scopes')
  envoy.settle()
  script.publish(world('bad'))
  expect(envoy.read()).toEqual(['scopes +host'])
  script.publish({})
  envoy.nack('scopes', 'no').settle()
  expect(script.refused).toEqual([])
  expect([...envoy.client.subscriptions.clusters.held.keys()]).toEqual([])
})
