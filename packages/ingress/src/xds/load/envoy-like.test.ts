import { expect, test } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import { readObjects } from '../../golden/objects.ts'
import { emptyWorld, take } from '../../model/objects.ts'
import { DeltaDialect } from '../session/dialect.ts'
import { Hub } from '../session/hub.ts'
import { EnvoyLike } from './envoy-like.ts'

const objects = readObjects(`
{apiVersion: v1, kind: Service, metadata: {namespace: ns, name: s}, spec: {ports: [{name: http, port: 80}]}}
---
{apiVersion: projectcontour.io/v1, kind: HTTPProxy, metadata: {namespace: ns, name: p}, spec: {virtualhost: {fqdn: a.test}, routes: [{services: [{name: s, port: 80}]}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: ns, name: s, labels: {kubernetes.io/service-name: s}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}], ports: [{name: http, port: 80, protocol: TCP}]}
`)

/** @returns how many responses it took until nothing more came */
function follow(hub: Hub, follower: EnvoyLike): number {
  const dialect = new DeltaDialect()
  const client = hub.connect({ id: 'e', build: '1.40.0' })
  const pending = [...follower.first()]
  let responses = 0
  for (let now = 0; ; now++) {
    for (const request of pending.splice(0)) {
      const { type } = dialect.decode(request)
      if (type !== undefined) dialect.take(hub, client, type)
    }
    const outgoing = client.next(now)
    if (outgoing.length === 0) break
    for (const response of outgoing) {
      responses++
      const bytes = dialect.encode(response)
      if (bytes !== undefined) pending.push(...follower.take(Buffer.from(bytes)).replies)
    }
  }
  hub.disconnect(client)
  return responses
}

test('it comes to hold everything, and is sent nothing when it comes back', () => {
  const world = emptyWorld()
  for (const change of objects.changes) take(world, change)
  const engine = new Engine(world)
  engine.apply(objects.changes)
  engine.applySlices(objects.slices)
  const hub = new Hub({ onRefused: () => undefined, onCleared: () => undefined })
  const snapshot = engine.snapshot()
  hub.publish(snapshot)
  const follower = new EnvoyLike('e')
  expect(follow(hub, follower)).toBeGreaterThan(3)
  for (const type of ['clusters', 'endpoints', 'listeners', 'scopes'] as const)
    expect([...follower.held(type).keys()].toSorted()).toEqual([...snapshot[type].keys()].toSorted())
  expect(follow(hub, follower)).toBe(0)
})
