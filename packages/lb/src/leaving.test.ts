import { expect, test } from 'vitest'
import { Leaving } from './leaving.ts'

function leaving() {
  const told: string[] = []
  return { told, all: new Leaving((key) => void told.push(key)) }
}

test('an address is free for others once all that leave it have left', () => {
  const { told, all } = leaving()
  all.set('a', ['192.0.2.1', '192.0.2.2'])
  all.set('b', ['192.0.2.1'])
  expect(all.free('c', ['192.0.2.1', '192.0.2.3'])).toEqual(['192.0.2.3'])
  expect(all.free('b', ['192.0.2.1'])).toEqual([])
  all.set('a', ['192.0.2.2'])
  expect(told).toEqual([])
  expect(all.free('b', ['192.0.2.1'])).toEqual(['192.0.2.1'])
  all.set('b', [])
  expect(told).toEqual(['c', 'b'])
  expect(all.free('c', ['192.0.2.1', '192.0.2.3'])).toEqual(['192.0.2.1', '192.0.2.3'])
})

test('it is known who has to let go of something', () => {
  const { all } = leaving()
  expect(all.has('a')).toBe(false)
  all.see('a', { ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2' }, { hostname: 'a' }] }, ['192.0.2.2'])
  expect(all.has('a')).toBe(true)
  expect(all.free('b', ['192.0.2.1', '192.0.2.2'])).toEqual(['192.0.2.2'])
  all.set('a', [])
  expect(all.has('a')).toBe(false)
  expect(all.free('b', ['192.0.2.1'])).toEqual(['192.0.2.1'])
})
