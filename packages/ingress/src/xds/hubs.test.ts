import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Hubs } from './hubs.ts'
import { resource, snapshot } from './session/script.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const all = { subscribe: [], unsubscribe: [], initialVersions: new Map<string, string>() }

test('what Envoys of one build refuse is so until a minute after the last of them was there', () => {
  const cleared: string[] = []
  const hubs = new Hubs({
    hub: () => ({ onRefused: () => {}, onCleared: ({ name }) => cleared.push(name) }),
    onWanted: () => {},
  })
  const hub = hubs.join('scoped')
  hub.publish(snapshot({ scopes: [resource('host', 'odd')] }))
  const come = (build: string, error?: string) => {
    const client = hub.connect({ id: build, build })
    client.request('scopes', all)
    const [sent] = client.next(0)
    hub.settle(client, 'scopes', sent?.nonce ?? '', error)
    return () => {
      hub.disconnect(client)
      hubs.leave('scoped', build)
    }
  }
  come('1.39.0')
  for (const seconds of [50, 50]) {
    come('1.40.0', 'odd')()
    vi.advanceTimersByTime(seconds * 1000)
    expect(cleared).toEqual([])
  }
  vi.advanceTimersByTime(20_000)
  expect(cleared).toEqual(['host'])
  hubs.stop()
})
