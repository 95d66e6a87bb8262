import { expect, test } from 'vitest'
import { CandidateLists } from './candidate-lists.ts'

const list = (...nodes: string[]) => nodes.map((node) => ({ node, weight: 0 }))

test('equal lists are one, and one that no address has any more is forgotten', () => {
  const lists = new CandidateLists()
  const first = lists.use('1', list('a', 'b'))
  expect(lists.use('2', list('a', 'b'))).toBe(first)
  expect(lists.use('1', list('a', 'b'))).toBe(first)
  lists.use('2', list('a'))
  expect(lists.size).toBe(2)
  lists.use('1', list('a'))
  expect(lists.size).toBe(1)
  for (const address of ['1', '2', '2']) lists.forget(address)
  expect(lists.size).toBe(0)
})
