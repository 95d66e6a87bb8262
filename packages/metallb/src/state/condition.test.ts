import { expect, test } from 'vitest'
import { withCondition } from './condition.ts'

const at = (time: string) => () => new Date(time)
const refused = { type: 'Valid', status: 'False', reason: 'InvalidAddress', message: 'no' } as const
const foreign = { type: 'example.com/Seen', status: 'True' }

test('a condition is added beside those of others', () => {
  expect(withCondition([foreign], refused, at('2026-01-01T00:00:00.123Z'))).toEqual([
    foreign,
    { ...refused, lastTransitionTime: '2026-01-01T00:00:00Z' },
  ])
})

test('the time of transition moves with the status, not with the reason', () => {
  const first = withCondition(undefined, refused, at('2026-01-01T00:00:00Z'))
  const other = { ...refused, reason: 'OverlappingPool' }
  const second = withCondition(first, other, at('2026-01-02T00:00:00Z'))
  expect(second).toEqual([{ ...other, lastTransitionTime: '2026-01-01T00:00:00Z' }])
  const good = { ...refused, status: 'True', reason: 'Valid' } as const
  expect(withCondition(second, good, at('2026-01-03T00:00:00Z'))).toEqual([
    { ...good, lastTransitionTime: '2026-01-03T00:00:00Z' },
  ])
})

test('saying the same again changes nothing', () => {
  const once = withCondition([foreign], refused, at('2026-01-01T00:00:00Z'))
  expect(withCondition(once, refused, at('2026-01-02T00:00:00Z'))).toEqual(once)
})
