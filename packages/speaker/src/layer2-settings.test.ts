import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { defaultExcludes } from './layer2/core/interface-rules.ts'
import {
  readCpuQuota,
  readExcludes,
  readMemberSecret,
  timingFor,
  watchMemberSecret,
} from './layer2-settings.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/landfall-settings-`)
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  writeFileSync(`${folder}/${name}`, text)
  return `${folder}/${name}`
}

describe('excluded interfaces', () => {
  test('are the usual ones without a file', async () => {
    expect(await readExcludes(`${folder}/none.yaml`)).toBe(defaultExcludes)
  })

  test('are those of the file, and no others', async () => {
    const file = write('x.yaml', 'announcedInterfacesToExclude:\n- ^docker.*\n- ^eth1$\n')
    expect(await readExcludes(file)).toEqual(['^docker.*', '^eth1$'])
  })

  test.each([
    ['{}', 'announcedInterfacesToExclude is no list'],
    ['announcedInterfacesToExclude: [1]', '1 is no text'],
    ["announcedInterfacesToExclude: ['(']", '"(" is no regular expression'],
  ])('a wrong file is named: %s', async (text, message) => {
    const file = write('x.yaml', text)
    await expect(readExcludes(file)).rejects.toThrow(`${file}: ${message}`)
  })
})

test('the secret is the file secretkey of the folder', () => {
  expect(readMemberSecret('')).toBeUndefined()
  expect(readMemberSecret(folder)).toBeUndefined()
  write('secretkey', 'abc')
  expect(readMemberSecret(folder)).toEqual(Uint8Array.of(97, 98, 99))
  expect(readMemberSecret(folder, 'other')).toEqual(Uint8Array.of(97, 98, 99))
  expect(readMemberSecret('', 'abc')).toEqual(Uint8Array.of(97, 98, 99))
})

test('a secret that is replaced is told of once, one that is gone is not', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const file = write('secretkey', 'one')
  const told: string[] = []
  const end = watchMemberSecret(folder, readMemberSecret(folder), (secret) => {
    told.push(new TextDecoder().decode(secret))
  })
  vi.advanceTimersByTime(10_000)
  rmSync(file)
  vi.advanceTimersByTime(5000)
  write('secretkey', 'two')
  vi.advanceTimersByTime(10_000)
  expect(told).toEqual(['two'])
  end()
  expect(vi.getTimerCount()).toBe(0)
})

describe('heartbeats', () => {
  test.each([
    ['max 100000\n', 100, 6],
    ['20000 100000\n', 200, 5],
    ['100000 100000\n', 100, 6],
  ])('cgroup 2, cpu.max %j', (text, intervalMs, misses) => {
    write('cpu.max', text)
    expect(timingFor(readCpuQuota(folder))).toEqual({ intervalMs, misses })
  })

  test.each([
    ['-1', 100],
    ['50000', 200],
  ])('cgroup 1, quota %s', (quota, intervalMs) => {
    mkdirSync(`${folder}/cpu`)
    write('cpu/cpu.cfs_quota_us', quota)
    write('cpu/cpu.cfs_period_us', '100000')
    expect(timingFor(readCpuQuota(folder)).intervalMs).toBe(intervalMs)
  })

  test('no cgroup, no quota', () => {
    expect(readCpuQuota(`${folder}/none`)).toBeUndefined()
  })
})
