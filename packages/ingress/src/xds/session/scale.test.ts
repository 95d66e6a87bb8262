/** Rules 48, 49 and 51: what a change or a crowd costs, in counts. */
import { expect, test, vi } from 'vitest'
import type { Resource } from '../resource.ts'
import { resource, Script } from './script.ts'
import { Subscription } from './subscription.ts'
import { encodeFullResponse, encodeResponse } from './wire.ts'

test('rule 48: a resource is read once for each variant of the protocol, whatever the number of Envoys', () => {
  const { name, version, bytes } = resource('a', '1')
  let reads = 0
  const counted: Resource = {
    name,
    version,
    get bytes() {
      reads++
      return bytes
    },
  }
  for (let envoy = 0; envoy < 50; envoy++) {
    const head = { type: 'clusters' as const, nonce: `${envoy}`, resources: [counted] }
    encodeResponse({ ...head, removed: [], variant: 0 })
    encodeFullResponse({ ...head, version })
  }
  expect(reads).toBe(2)
})

test('rule 49: a change is looked at once for each Envoy, and sent to those that asked for it', () => {
  const script = new Script()
  const many = Array.from({ length: 1000 }, (_, index) => resource(`e${index}`, '1'))
  script.publish({ endpoints: many })
  const envoys = Array.from({ length: 50 }, (_, index) =>
    script
      .client(`envoy-${index}`)
      .ask('endpoints', { subscribe: index < 10 ? many.map(({ name }) => name) : ['e1'] }),
  )
  for (const envoy of envoys) envoy.settle()
  const touch = vi.spyOn(Subscription.prototype, 'touch')
  const get = vi.spyOn(script.hub.store, 'get')
  try {
    script.hub.apply({ endpoints: new Map([['e7', resource('e7', '2')]]) })
    const sent = envoys.flatMap((envoy) => envoy.read())
    expect(sent).toEqual(Array.from({ length: 10 }, () => 'endpoints +e7'))
    expect(touch).toHaveBeenCalledTimes(50)
    expect(get.mock.calls.length).toBeLessThanOrEqual(50)
  } finally {
    touch.mockRestore()
    get.mockRestore()
  }
})

test('a stream that ends looks at what it asked for alone, however many its Envoy has', () => {
  const script = new Script()
  script.publish({})
  const streams = Array.from({ length: 1000 }, (_, index) => {
    const client = script.hub.connect({ id: 'envoy', build: '' }, 'separate')
    client.request('endpoints', {
      subscribe: [`e${index}`, '*'],
      unsubscribe: [],
      initialVersions: new Map(),
    })
    return client
  })
  const [first] = streams
  const taken = vi.spyOn(Set.prototype, 'delete')
  try {
    if (first !== undefined) script.hub.disconnect(first)
    expect(taken.mock.calls.length).toBeLessThan(10)
  } finally {
    taken.mockRestore()
  }
})

test('rule 51: those that come back with what there is are sent nothing', () => {
  const script = new Script()
  const clusters = Array.from({ length: 100 }, (_, index) => resource(`c${index}`, '1'))
  script.publish({ clusters })
  const has = Object.fromEntries(clusters.map(({ name, version }) => [name, version]))
  for (let envoy = 0; envoy < 100; envoy++)
    expect(script.client(`envoy-${envoy}`).ask('clusters', { has }).settle()).toEqual([])
})
