import { expect, test } from 'vitest'
import { livingNodes } from './statuses.ts'

test('a coordinator, which is no member of those it hears, is alive: what it says of its own sessions stays', () => {
  const member = (node: string, state: 'serving' | 'dead' | 'left') => ({ node, state, heardMs: 1 })
  const members = [member('n2', 'serving'), member('n3', 'dead'), member('n4', 'left')]
  expect([...livingNodes('n1', members)]).toEqual(['n1', 'n2'])
})
