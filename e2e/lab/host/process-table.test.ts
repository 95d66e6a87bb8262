import { spawn } from 'node:child_process'
import { assert, nat, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { isAlive, labMark, ownProcess, parseStat, processesOf, processStat } from './process-table.ts'
import { waitFor } from './wait.ts'

test('a stat line is read whatever the program is called', () => {
  assert(
    property(string({ maxLength: 15 }), nat(32768), nat(1e9), (name, pid, start) => {
      const rest = ['S', 1, 77, 77, 0, -1, ...Array.from({ length: 13 }, () => 0), start, 1000, 5]
      expect(parseStat(`${pid} (${name}) ${rest.join(' ')}`)).toEqual({
        pid,
        state: 'S',
        group: 77,
        startTime: `${start}`,
      })
    }),
  )
  expect(parseStat('')).toBeUndefined()
})

test('a process is alive only with its own start time', () => {
  expect(isAlive(ownProcess())).toBe(true)
  expect(isAlive({ pid: process.pid, startTime: '1' })).toBe(false)
})

test('a process of a lab is found by its mark, and gone after its end', async () => {
  const child = spawn('sleep', ['60'], {
    env: { PATH: process.env['PATH'], [labMark]: 'lf-unittest-' },
    stdio: 'ignore',
  })
  const pid = child.pid ?? 0
  const find = (): readonly number[] => processesOf({ inodes: new Map(), prefix: 'lf-unittest-' })
  try {
    await waitFor('the process to be found', () => find().includes(pid), {
      timeoutMs: 30_000,
      intervalMs: 10,
    })
  } finally {
    child.kill('SIGKILL')
  }
  await waitFor('the process to be gone', () => processStat(pid) === undefined || find().length === 0, {
    timeoutMs: 30_000,
  })
  expect(find()).toEqual([])
})
