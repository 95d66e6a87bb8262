import { expect, test } from 'vitest'
import { Random } from '../../random.ts'
import { mutated } from './mutation.ts'
import { FuzzedSession } from './session.ts'

/** Here a few of what `npm run drill -- bgp --part fuzz` sends by the million. */
test('mutated messages reach every decoder, and the same seed makes the same ones', () => {
  const run = (seed: number) => {
    const random = new Random(seed)
    const session = new FuzzedSession(() => random.next())
    for (let i = 0; i < 5000; i++) {
      session.connect()
      if (!session.receive(mutated(random), false)) session.close()
    }
    return session.counts
  }
  const counts = run(7)
  expect([...counts.keys()]).toEqual(
    expect.arrayContaining([
      'open',
      'update',
      'keepalive',
      'notification',
      'routeRefresh',
      '1/1',
      '1/2',
      '1/3',
    ]),
  )
  expect([...counts.keys()]).toEqual(expect.arrayContaining(['2/1', '2/4', '3/1', '3/2', '3/10', '7/1']))
  expect(run(7)).toEqual(counts)
})

test('a message that cannot be answered is found', () => {
  const session = new FuzzedSession(() => 0)
  session.connect()
  expect(session.kind).toBe('openSent')
  expect(session.receive(Uint8Array.of(0), false)).toBe(false)
  expect(session.kind).toBe('idle')
})
