import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LongestTurn } from './longest-turn.ts'

function burn(ms: number): void {
  const busy = (): number => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  for (const until = busy() + ms; busy() < until; );
}

test('a turn counts with all that it took', async () => {
  const turns = new LongestTurn()
  burn(8)
  await sleep(20)
  expect(turns.take()).toBeGreaterThanOrEqual(8)
  burn(500)
  turns.skip()
  await sleep(20)
  expect(turns.take()).toBeLessThan(500)
})
