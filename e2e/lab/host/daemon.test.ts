import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Daemons } from './daemon.ts'
import { isAlive, processStat } from './process-table.ts'
import { waitFor } from './wait.ts'

let directory = ''
let daemons: Daemons

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'landfall-daemons-'))
  daemons = new Daemons({
    pids: join(directory, 'pids'),
    logs: join(directory, 'logs'),
    env: { MARK: 'here' },
  })
})

afterEach(async () => {
  for (const { name } of daemons.list()) await daemons.stop(name, 0)
  rmSync(directory, { recursive: true })
})

test('a daemon leads its group, logs to its file and is known by its pid file', async () => {
  const daemon = daemons.start({ name: 'echo', argv: ['sh', '-c', 'echo "mark $MARK"; exec sleep 60'] })
  expect(processStat(daemon.pid)?.group).toBe(daemon.pid)
  expect(daemons.find('echo')).toEqual(daemon)
  await waitFor('the log', () => daemons.logTail('echo') === 'mark here', {
    timeoutMs: 30_000,
    intervalMs: 10,
  })
})

test('stopping ends one that ignores SIGTERM, after the grace time', async () => {
  const daemon = daemons.start({
    name: 'deaf',
    argv: ['sh', '-c', 'trap "" TERM; echo deaf; while :; do sleep 1; done'],
  })
  await waitFor('the trap', () => daemons.logTail('deaf') === 'deaf', { timeoutMs: 30_000, intervalMs: 10 })
  const since = Date.now()
  await daemons.stop('deaf', 200)
  expect(Date.now() - since).toBeGreaterThanOrEqual(200)
  expect(isAlive(daemon)).toBe(false)
})

test('a program that does not exist is an error at once', () => {
  expect(() => daemons.start({ name: 'none', argv: ['/no/such/program'] })).toThrow('cannot start none')
})
