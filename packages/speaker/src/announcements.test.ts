import { expect, test } from 'vitest'
import { announcementsOf } from './announcements.ts'
import { type Layer2State, noLayer2 } from './layer2/messages.ts'
import { Planner } from './plan/planner.ts'
import { webOfTwoNodes, worldOf } from './plan/testing.ts'

const { ip, objects } = webOfTwoNodes

test.each([
  ['n2', 'serving', 'node n2 announces it'],
  ['', 'unwatched', 'another node announces it, or is about to'],
  ['', 'serving', 'another node announces it, or is about to'],
  ['', 'dead', 'no other candidate has a living speaker yet'],
] as const)('owned by "%s", with a speaker that is %s', (owner, state, message) => {
  const members = [{ node: 'n2', state, heardMs: 1 }]
  const layer2: Layer2State = { ...noLayer2, serving: true, owners: new Map([[ip, owner]]), members }
  const [announcement] = announcementsOf(new Planner().plan(worldOf('n1', objects)), layer2, 'n1')
  expect(announcement?.outcome).toEqual({ kind: 'silent', reason: 'notOwner', message })
})
