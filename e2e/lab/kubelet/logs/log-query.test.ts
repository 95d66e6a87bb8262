import { expect, test } from 'vitest'
import type { LogFile } from './log-files.ts'
import { lastLines, logSpan, parseLogQuery, withTimestamps } from './log-query.ts'

const file: LogFile = {
  path: 'x',
  marks: [
    { time: 1000, offset: 0 },
    { time: 2000, offset: 10 },
    { time: 3000, offset: 30 },
  ],
  runs: [0, 10],
  size: 50,
}
const query = (text: string, now = 4000) => parseLogQuery(new URLSearchParams(text), now)

test('the current run, the previous one, and none before it', () => {
  expect(logSpan(file, query(''))).toEqual({ from: 10, to: 50 })
  expect(logSpan(file, query('previous=true'))).toEqual({ from: 0, to: 10 })
  expect(logSpan({ ...file, runs: [0] }, query('previous=true'))).toBeUndefined()
})

test('since a time or a number of seconds, never before the run', () => {
  expect(logSpan(file, query('sinceTime=1970-01-01T00:00:02.500Z'))).toEqual({ from: 30, to: 50 })
  expect(logSpan(file, query('sinceSeconds=1'))).toEqual({ from: 30, to: 50 })
  expect(logSpan(file, query('sinceSeconds=100'))).toEqual({ from: 10, to: 50 })
  expect(logSpan(file, query('sinceSeconds=0'))).toEqual({ from: 50, to: 50 })
})

test.each([
  ['a\nb\nc\n', 2, 'b\nc\n'],
  ['a\nb\nc', 2, 'b\nc'],
  ['a\nb\n', 5, 'a\nb\n'],
  ['a\nb\n', 0, ''],
  ['', 3, ''],
])('last lines of %j: %i', (text, count, wanted) => {
  expect(lastLines(text, count)).toBe(wanted)
})

test('every line gets the time of the chunk it came with', () => {
  const marks = [
    { time: 0, offset: 0 },
    { time: 1000, offset: 4 },
  ]
  expect(withTimestamps('a\nb\nc\n', 0, marks)).toBe(
    '1970-01-01T00:00:00.000Z a\n1970-01-01T00:00:00.000Z b\n1970-01-01T00:00:01.000Z c\n',
  )
  expect(withTimestamps('c\n', 4, marks)).toBe('1970-01-01T00:00:01.000Z c\n')
})
