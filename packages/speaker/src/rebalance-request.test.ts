import { expect, test } from 'vitest'
import { type Layer2State, noLayer2 } from './layer2/messages.ts'
import { answerRebalance } from './rebalance-request.ts'

const state: Layer2State = {
  ...noLayer2,
  suspended: false,
  coordinator: 'n1',
  members: [
    { node: 'n1', state: 'serving', heardMs: 10 },
    { node: 'n3', state: 'serving', heardMs: 10 },
    { node: 'n4', state: 'dead', heardMs: 9000 },
  ],
  owners: new Map([
    ['192.0.2.1', 'n1'],
    ['192.0.2.2', 'n2'],
    ['192.0.2.3', 'n1'],
    ['192.0.2.4', ''],
  ]),
}

test('passes it on to the coordinator, and says how addresses are spread', () => {
  expect(answerRebalance(state, 'n2')).toEqual({
    status: 200,
    body: `asked n1, which coordinates, to spread 4 addresses anew: at most one a second moves, by hand-over
now announced by
  (nobody, or not known here): 1
  n1: 2
  n2: 1
  n3: 0
`,
  })
  expect(answerRebalance(state, 'n1').body).toMatch(/^n1 coordinates, and is to spread 4 addresses/)
})

test.each([
  ['nobody was heard yet', noLayer2],
  ['contact was lost', { ...state, suspended: true }],
])('nothing is done while %s', (_, now) => {
  expect(answerRebalance(now, 'n2').status).toBe(503)
})
