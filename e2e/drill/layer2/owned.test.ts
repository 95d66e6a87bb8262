import { expect, test } from 'vitest'
import { departure, moves, type Owners, unevenness } from './owned.ts'

const nodes = ['n1', 'n2', 'n3', 'n4']

/** So many addresses on each node, in this order. */
function owning(...loads: readonly number[]): Owners {
  const owners = loads.flatMap((load, i) => Array.from({ length: load }, () => nodes[i] ?? ''))
  return new Map(owners.map((owner, i) => [`198.51.100.${i}`, owner]))
}

/** What the first node owned goes to the others, so many to each. */
function given(before: Owners, ...shares: readonly number[]): Owners {
  const to = shares.flatMap((share, i) => Array.from({ length: share }, () => nodes[i + 1] ?? ''))
  return new Map([...before].map(([ip, owner]) => [ip, owner === 'n1' ? (to.shift() ?? owner) : owner]))
}

test('what a node owned goes to those with least, however uneven they were', () => {
  const before = owning(10, 8, 8, 0)
  expect(departure([before, given(before, 1, 0, 9)], 'n1', nodes)).toEqual([])
  expect(departure([before, given(before, 0, 1, 9)], 'n1', nodes)).toEqual([])
  expect(departure([before, given(before, 2, 0, 8)], 'n1', nodes)).toEqual([
    'without n1 the others, which owned 8, 8, 0, own 10, 8, 8',
  ])
  expect(departure([before, given(before, 5, 5, 0)], 'n1', nodes)).toHaveLength(1)
  const few = owning(3, 8, 8, 0)
  expect(departure([few, given(few, 0, 0, 3)], 'n1', nodes)).toEqual([])
  expect(departure([few, given(few, 1, 0, 2)], 'n1', nodes)).toHaveLength(1)
})

test('nothing else moves, and nothing stays', () => {
  const before = owning(2, 1, 1, 1)
  const after = new Map([...given(before, 1, 0, 0), ['198.51.100.4', 'n2']])
  expect(departure([before, after], 'n1', nodes)).toEqual([
    '198.51.100.4 moved from n4 to n2 with those of n1',
    '1 addresses are still owned by n1',
    'without n1 the others, which owned 1, 1, 1, own 3, 1, 0',
  ])
  expect(departure([owning(0, 1), owning(0, 1)], 'n1', nodes)).toEqual(['n1 owned nothing that could move'])
})

test('a move is told, and an address that nobody owns any more', () => {
  const [a, b] = [owning(1, 1), owning(2)]
  expect([moves(a, a), moves(a, b), moves(a, owning(1))]).toEqual([
    [],
    ['198.51.100.1 moved from n2 to n1'],
    ['198.51.100.1 moved from n2 to undefined'],
  ])
})

test('addresses that are placed are spread to within one', () => {
  expect(unevenness(owning(84, 83, 83), nodes.slice(0, 3))).toEqual([])
  expect(unevenness(owning(84, 84, 82), nodes.slice(0, 3))).toEqual(['nodes own 84, 84, 82 addresses'])
  expect(unevenness(owning(84, 83, 82, 1), nodes.slice(0, 3))).toHaveLength(2)
})
