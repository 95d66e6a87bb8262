import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeVolume } from './atomic-writer.ts'

const nobody = { privateUser: undefined, group: undefined }
const file = (path: string, text: string, mode = 0o644) => ({ path, content: Buffer.from(text), mode })

let volume: string
beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'volume-'))
})
afterEach(() => rmSync(volume, { recursive: true }))

test('names lead through ..data to one version', () => {
  writeVolume(volume, [file('a', '1'), file('d/e', '2', 0o600)], nobody)
  expect(readlinkSync(join(volume, 'a'))).toBe('..data/a')
  expect(readlinkSync(join(volume, 'd'))).toBe('..data/d')
  expect(readFileSync(join(volume, 'd/e'), 'utf8')).toBe('2')
  expect(statSync(join(volume, 'd/e')).mode & 0o777).toBe(0o600)
})

test('the next version replaces the whole one before and leaves nothing of it', () => {
  writeVolume(volume, [file('a', '1'), file('b', '1')], nobody)
  const before = readlinkSync(join(volume, '..data'))
  writeVolume(volume, [file('a', '2'), file('c', '2')], nobody)
  const after = readlinkSync(join(volume, '..data'))
  expect(after).not.toBe(before)
  expect(readdirSync(volume).toSorted()).toEqual([after, '..data', 'a', 'c'].toSorted())
  expect(readFileSync(join(volume, 'a'), 'utf8')).toBe('2')
})
