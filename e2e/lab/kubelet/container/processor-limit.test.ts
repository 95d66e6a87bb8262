import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canLimit, cpuLimitOf, groupRoot } from '../../../cgroup/limited-group.ts'
import { coresOf, limitFile, limitProcessor } from './processor-limit.ts'

test.each([
  ['100m', 0.1],
  ['2', 2],
  [undefined, undefined],
])('%s', (cpu, cores) => {
  expect(coresOf(cpu === undefined ? {} : { resources: { limits: { cpu } } })).toBe(cores)
})

test('a program finds its limit where it looks', () => {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-limit-'))
  const { target } = limitFile(0.1, directory)
  expect([target, readFileSync(`${directory}/cpu.max`, 'utf8')]).toEqual(['/sys/fs/cgroup', '10000 100000\n'])
  rmSync(directory, { recursive: true })
})

test.skipIf(!canLimit({ kind: 'cpu', cores: 0.1 }))(
  'a process is held, and let go with its end',
  async () => {
    const name = `landfall-test-${process.pid}`
    const child = spawn('sleep', ['60'])
    const exited = new Promise<{ code: number; signal: undefined }>((resolve) =>
      child.once('exit', () => resolve({ code: 0, signal: undefined })),
    )
    limitProcessor({ pid: child.pid ?? 0, exited }, 0.1, name)
    expect(cpuLimitOf(child.pid ?? 0)).toBe(0.1)
    child.kill('SIGKILL')
    await exited
    await expect.poll(() => existsSync(join(groupRoot('cpu'), name))).toBe(false)
  },
)
