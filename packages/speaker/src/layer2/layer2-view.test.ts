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
    ...part(2),
    announced: [{ ip: '192.0.2.1', interfaces: ['eth0'] }],
    owners: { '192.0.2.1': 'n1', '192.0.2.2': 'n2' },
  })
  expect(view.apply(part(3), [{ ...here, owner: undefined, interfaces: undefined }])).toMatchObject({
    announced: [],
    owners: { '192.0.2.2': 'n2' },
  })
})

test('what says the same as before changes nothing but when members were heard', () => {
  const view = new Layer2View()
  const first = view.apply(part(1), [here, there])
  expect(sameStanding(first, view.apply(part(900), []))).toBe(true)
  expect(sameStanding(first, view.apply(part(900), [here, there]))).toBe(true)
})

test.each([
  ['an owner', part(1), { ...there, owner: 'n3' }],
  ['an address that is gone', part(1), { ...there, owner: undefined }],
  ['an interface', part(1), { ...here, interfaces: ['eth0', 'eth1'] }],
  ['silence here', part(1), { ...here, interfaces: undefined }],
  ['a member', part(1, 'dead'), here],
  ['the coordinator', { ...part(1), coordinator: 'n2' }, here],
  ['the epoch', { ...part(1), epoch: 4 }, here],
  ['the right', { ...part(1), suspended: true }, here],
])('another standing: %s', (_, next, address) => {
  const view = new Layer2View()
  const first = view.apply(part(1), [here, there])
  expect(sameStanding(first, view.apply(next, [address]))).toBe(false)
})
