import { expect, test } from 'vitest'
import { Layer2View, sameStanding } from './layer2-view.ts'
import type { Layer2Part } from './messages.ts'

const part = (heardMs: number, state: 'serving' | 'dead' = 'serving'): Layer2Part => ({
  serving: true,
  suspended: false,
  epoch: 3,
  coordinator: 'n1',
  members: [{ node: 'n2', state, heardMs }],
})
const here = { ip: '192.0.2.1', owner: 'n1', interfaces: ['eth0'] }
const there = { ip: '192.0.2.2', owner: 'n2', interfaces: undefined }

test('puts reports together', () => {
  const view = new Layer2View()
  view.apply(part(1), [here])
  expect(view.apply(part(2), [there])).toEqual({
    state: {
      ...part(2),
      announced: new Map([['192.0.2.1', ['eth0']]]),
      owners: new Map([
        ['192.0.2.1', 'n1'],
        ['192.0.2.2', 'n2'],
      ]),
    },
    changed: new Set(['192.0.2.2']),
  })
  const { state } = view.apply(part(3), [{ ...here, owner: undefined, interfaces: undefined }])
  expect([state.announced, state.owners]).toEqual([new Map(), new Map([['192.0.2.2', 'n2']])])
})

test('what says the same as before changes nothing but when members were heard', () => {
  const view = new Layer2View()
  const first = view.apply(part(1), [here, there])
  const again = view.apply(part(900), [here, there])
  expect([...again.changed]).toEqual([])
  expect(sameStanding(first.state, again.state)).toBe(true)
})

test.each([
  ['an owner', { ...there, owner: 'n3' }],
  ['an address that is gone', { ...there, owner: undefined }],
  ['an interface', { ...here, interfaces: ['eth0', 'eth1'] }],
  ['silence here', { ...here, interfaces: undefined }],
])('another standing of one address: %s', (_, address) => {
  const view = new Layer2View()
  view.apply(part(1), [here, there])
  expect([...view.apply(part(1), [here, there, address]).changed]).toEqual([address.ip])
})

test.each([
  ['a member', part(1, 'dead')],
  ['the coordinator', { ...part(1), coordinator: 'n2' }],
  ['the epoch', { ...part(1), epoch: 4 }],
  ['the right', { ...part(1), suspended: true }],
])('another standing of all: %s', (_, next) => {
  expect(sameStanding(part(1), next)).toBe(false)
})
