import { expect, test } from 'vitest'
import type { Layout } from './layout.ts'
import { Hub } from './session/hub.ts'
import { resource, snapshot } from './session/script.ts'
import { standingsOf } from './standings.ts'

const nothing = { subscribe: [], unsubscribe: [], initialVersions: new Map<string, string>() }
const hubs = (hub: Hub, isPublished = true) => ({
  get: (layout: Layout) => (layout === 'scoped' ? hub : undefined),
  isPublished: () => isPublished,
})
const wanted = [
  { type: 'clusters', name: 'c' },
  { type: 'clusters', name: 'of another layout' },
  { type: 'secrets', name: 'fetched at the handshake' },
  { type: 'scopes', name: 'http/a' },
] as const

test('an Envoy has, has an older one of, lacks or refuses what is wanted; who follows one thing is none', () => {
  const hub = new Hub({ onRefused: () => {}, onCleared: () => {} })
  const connect = (id: string, types: readonly ('clusters' | 'listeners' | 'scopes')[], build = '1.40.0') => {
    const client = hub.connect({ id, build })
    for (const type of types) client.request(type, nothing)
    return client
  }
  const scope = (version: string) => resource('http/a', version, { clusters: ['c'] })
  hub.publish(
    snapshot({
      clusters: [resource('c', '1')],
      secrets: [resource('fetched at the handshake', '1')],
      scopes: [scope('1')],
    }),
  )
  const all = ['clusters', 'listeners', 'scopes'] as const
  const [one, two] = [connect('one', all), connect('two', all, '1.41.0')]
  connect('new', all)
  connect('cli', ['clusters'])
  const answer = (client: typeof one, refusesScopes: boolean) => {
    for (let rounds = 0; rounds < 4; rounds++)
      for (const { type, nonce } of client.next(0))
        hub.settle(client, type, nonce, refusesScopes && type === 'scopes' ? 'pattern too large' : undefined)
  }
  const states = () =>
    standingsOf(hubs(hub), () => wanted).map(({ node, resources }) => [
      node,
      ...resources.map(({ state, words }) => [state, words].join(' ').trim()),
    ])
  answer(one, false)
  answer(two, false)
  expect(states()).toEqual([
    ['one', 'held', 'held'],
    ['two', 'held', 'held'],
    ['new', 'missing', 'missing'],
  ])
  hub.apply({ scopes: new Map([['http/a', scope('2')]]) })
  answer(two, true)
  expect(states()).toEqual([
    ['one', 'held', 'behind'],
    ['two', 'held', 'refused pattern too large'],
    ['new', 'missing', 'missing'],
  ])
})

test('an Envoy that comes before its layout is made is there, and has nothing of it', () => {
  const hub = new Hub({ onRefused: () => {}, onCleared: () => {} })
  const client = hub.connect({ id: 'one', build: '1.40.0' })
  for (const type of ['clusters', 'listeners'] as const) client.request(type, nothing)
  const standing = { node: 'one', build: '1.40.0', resources: [] }
  expect(standingsOf(hubs(hub, false), () => wanted)).toEqual([{ ...standing, published: false }])
})
