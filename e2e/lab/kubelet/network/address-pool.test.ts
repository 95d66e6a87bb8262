import { expect, test } from 'vitest'
import { AddressPool } from './address-pool.ts'

test('both families carry the same number', () => {
  const pool = new AddressPool('10.244.3.0/24', 'fd00:10:244:3::/64')
  expect(pool.take()).toEqual({ v4: '10.244.3.2', v6: 'fd00:10:244:3::2' })
  for (let i = 0; i < 8; i++) pool.take()
  expect(pool.take()).toEqual({ v4: '10.244.3.11', v6: 'fd00:10:244:3::b' })
})

test('an address given back is the last to be given again', () => {
  const pool = new AddressPool('10.244.1.0/24', 'fd00::/64')
  const first = pool.take()
  if (first === undefined) throw new Error('none')
  pool.release(first)
  expect(pool.take()?.v4).toBe('10.244.1.3')
})

test('253 pods, then none, then the one that was given back', () => {
  const pool = new AddressPool('10.244.1.0/24', 'fd00::/64')
  const all = Array.from({ length: 253 }, () => pool.take())
  expect(new Set(all.map((a) => a?.v4)).size).toBe(253)
  expect(pool.take()).toBeUndefined()
  const one = all[100]
  if (one === undefined) throw new Error('none')
  pool.release(one)
  expect(pool.take()).toEqual(one)
})

test('other sizes are refused', () => {
  expect(() => new AddressPool('10.244.0.0/16', 'fd00::/64')).toThrow('10.244.0.0/16')
})
