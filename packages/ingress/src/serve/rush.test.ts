import { expect, test } from 'vitest'
import { Rush } from './rush.ts'

test('a change now and then is no rush, many in a row are one until there is a pause', () => {
  let now = 0
  const rush = new Rush(() => now)
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
