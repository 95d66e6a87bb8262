import { expect, test } from 'vitest'
import { plannedLife } from './planned-life.ts'

const seeds = 200
/** Under whatever load of others. */
const slow = { timeout: 120_000 }

test(`${seeds} lives of planned moves: silence is that of a few messages`, slow, () => {
  for (let seed = 0; seed < seeds; seed++) {
    const { violations, story } = plannedLife(seed)
    expect(violations, `seed ${seed}\n${story.join('\n')}`).toEqual([])
  }
})
