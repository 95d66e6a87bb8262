import { expect, test } from 'vitest'
import { paceConcern } from './bfd-pace.ts'

const profile = {
  transmitMs: 50,
  receiveMs: 50,
  multiplier: 3,
  echoMs: undefined,
  passive: false,
  minimumTtl: 254,
}

test.each([
  ['50 ms × 3', {}, undefined, false],
  ['50 ms × 3 with a whole core', {}, 1, false],
  ['50 ms × 3 with a tenth of a core', {}, 0.1, true],
  ['300 ms × 3 with a tenth of a core', { transmitMs: 300, receiveMs: 300 }, 0.1, false],
  ['10 ms × 3', { transmitMs: 10, receiveMs: 10 }, undefined, true],
  ['packets of the peer each 40 ms', { receiveMs: 40 }, undefined, true],
  ['our packets each 40 ms', { transmitMs: 40 }, undefined, true],
  ['10 ms × 15', { transmitMs: 10, receiveMs: 10, multiplier: 15 }, undefined, false],
  ['echoes each 10 ms', { echoMs: 10 }, undefined, true],
] as const)('%s', (_what, more, quota, isFast) => {
  expect(paceConcern({ ...profile, ...more }, quota) !== undefined).toBe(isFast)
})

test('no BFD is no concern', () => {
  expect(paceConcern(undefined, 0.1)).toBeUndefined()
})
