import { expect, test } from 'vitest'
import { capabilitySet } from './capabilities.ts'

function of(change: Parameters<typeof capabilitySet>[0]): readonly string[] {
  const set = capabilitySet(change)
  if (!set.ok) throw new Error(set.problems.join())
  return set.capabilities
}

test('a container without wishes has the fourteen defaults', () => {
  expect(of({})).toHaveLength(14)
  expect(of({})).toContain('net_raw')
  expect(of({})).not.toContain('net_admin')
})

test('drop ALL and add NET_RAW leaves exactly that', () => {
  expect(of({ drop: ['ALL'], add: ['NET_RAW'] })).toEqual(['net_raw'])
  expect(of({ drop: ['all'], add: ['CAP_NET_RAW', 'net_bind_service'] })).toEqual([
    'net_bind_service',
    'net_raw',
  ])
})

test('drop takes single ones out of the defaults', () => {
  expect(of({ drop: ['NET_RAW'] })).toHaveLength(13)
})

test('add ALL takes in what the defaults lack, less what is dropped', () => {
  expect(of({ add: ['ALL'] })).toContain('sys_admin')
  expect(of({ add: ['ALL'], drop: ['SYS_ADMIN'] })).not.toContain('sys_admin')
})

test('privileged has all, whatever is dropped', () => {
  expect(of({ privileged: true, drop: ['ALL'] })).toEqual(of({ add: ['ALL'] }))
})

test('every unknown name is told', () => {
  expect(capabilitySet({ add: ['FLY'], drop: ['SWIM', 'ALL'] })).toEqual({
    ok: false,
    problems: ['unknown capability fly', 'unknown capability swim'],
  })
})
