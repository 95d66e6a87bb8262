import { expect, it } from 'vitest'
import { claim, firstClaim, type LeaseSpec, released, sight } from './lease.ts'

const candidate = { identity: 'me', leaseSeconds: 15 }
const clock = new Date('2026-01-02T03:04:05.678Z')
const others: LeaseSpec = {
  holderIdentity: 'other',
  leaseDurationSeconds: 15,
  acquireTime: '2026-01-01T00:00:00.000000Z',
  renewTime: '2026-01-01T00:00:00.000000Z',
  leaseTransitions: 3,
}
const mine = { ...others, holderIdentity: 'me' }

it.each([
  ['just seen', others, 0, false],
  ['seen nearly a lease ago', others, 14_999, false],
  ['not changed for a lease', others, 15_000, true],
  ['released', released(others), 0, true],
  ['mine', mine, 0, true],
  ['of nobody', {}, 0, true],
  ['of another length', { ...others, leaseDurationSeconds: 60 }, 59_999, false],
])('a lease that is %s is taken or left', (_, spec, age, taken) => {
  expect(claim(spec, candidate, { version: '1', at: 1000 }, 1000 + age, clock) !== undefined).toBe(taken)
})

it('counts a change of hands, and keeps the time of the first hold', () => {
  const now = '2026-01-02T03:04:05.678000Z'
  expect(claim(others, candidate, { version: '1', at: 0 }, 20_000, clock)).toEqual({
    holderIdentity: 'me',
    leaseDurationSeconds: 15,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: 4,
  })
  expect(claim(mine, candidate, { version: '1', at: 0 }, 0, clock)).toEqual({ ...mine, renewTime: now })
  expect(firstClaim(candidate, clock)).toMatchObject({
    acquireTime: now,
    renewTime: now,
    leaseTransitions: 0,
  })
})

it('is seen anew only when its version changed', () => {
  const lease = (resourceVersion: string) => ({ metadata: { name: 'l', resourceVersion } })
  const first = sight(lease('1'), undefined, 10)
  expect(first).toEqual({ version: '1', at: 10 })
  expect(sight(lease('1'), first, 20)).toBe(first)
  expect(sight(lease('2'), first, 20)).toEqual({ version: '2', at: 20 })
})
