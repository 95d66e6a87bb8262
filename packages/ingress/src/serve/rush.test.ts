import { expect, test } from 'vitest'
import { Rush } from './rush.ts'

test('it lasts as long as Envoys are behind, within reason', () => {
  let [now, behind] = [0, true]
  const rush = new Rush(
    () => behind,
    () => now,
  )
  for (let n = 0; n < 6; n++) rush.note()
  now = 1999
  expect(rush.isOn).toBe(true)
  behind = false
  expect(rush.isOn).toBe(false)
  behind = true
  now = 2000
  expect(rush.isOn).toBe(false)
})

test('a change now and then is no rush, many in a row are one until there is a pause', () => {
  let now = 0
  const rush = new Rush(
    () => false,
    () => now,
  )
  const come = (count: number, everyMs: number) => {
    for (let n = 0; n < count; n++) {
      now += everyMs
      rush.note()
    }
    return rush.isOn
  }
  expect([rush.isOn, come(20, 200), come(4, 20), come(4, 20)]).toEqual([false, false, false, true])
  now += 60
  expect([rush.isOn, come(1, 0)]).toEqual([false, false])
})
