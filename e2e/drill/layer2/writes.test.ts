import { expect, test } from 'vitest'
import { tallied, type Write, writeTexts } from './writes.ts'

const reports = 'servicel2statuses'
const [report, service] = [
  { namespace: 'metallb-system', name: 'l2-1' },
  { namespace: 'many', name: 'many-1' },
]
const sweep: Write = { ...report, name: '', verb: 'deletecollection', resource: reports, code: 200 }

function event(i: number): Write {
  return { namespace: 'many', name: `many-${i}.18a0${i}`, verb: 'create', resource: 'events', code: 201 }
}

function acquired(count: number): readonly Write[] {
  return Array.from({ length: count }, (_, i): readonly Write[] => {
    const own = { ...report, name: `l2-${i}` }
    return [
      { ...own, verb: 'create', resource: reports, code: 201 },
      { ...own, verb: 'update', resource: `${reports}/status`, code: 200 },
      event(i),
    ]
  }).flat()
}

test('a request that deletes all that a node left is no write of an address', () => {
  const writes: readonly Write[] = [
    { ...sweep, code: 504 },
    sweep,
    { ...report, verb: 'create', resource: 'configurationstates', code: 201 },
    { ...report, verb: 'update', resource: `${reports}/status`, code: 409 },
    ...acquired(1000),
  ]
  const tally = tallied(writes)
  const mostOfOne = { object: `${reports} metallb-system/l2-1`, writes: 3 }
  expect(tally).toEqual({ ofAddresses: 3000, ofAllAtOnce: 2, others: 1, conflicts: 1, mostOfOne })
  expect(writeTexts(tally, 1000)).toEqual([])
})

test('a fourth write of a single address is one too many', () => {
  const again: Write = { ...report, verb: 'delete', resource: reports, code: 200 }
  expect(writeTexts(tallied([...acquired(1000), again]), 1000)).toEqual(['3.001 writes an address'])
})

test('nothing written is as wrong as one deletion after the other', () => {
  expect(writeTexts(tallied([sweep, sweep, sweep]), 10)).toEqual([
    'nothing was written when the addresses were taken over',
    '3 requests that delete what a node left',
  ])
})

test.each<[string, (i: number) => Write]>([
  [
    'servicel2statuses metallb-system/l2-1',
    () => ({ ...report, verb: 'update', resource: `${reports}/status`, code: 200 }),
  ],
  ['services many/many-1', () => ({ ...service, verb: 'patch', resource: 'services/status', code: 200 })],
  ['events many/many-1', (i) => ({ ...event(1), name: `many-1.18b${i}` })],
])('one of %s that is written again and again is told, however few the others are', (object, write) => {
  const writes = (count: number) => [
    ...acquired(1).slice(1),
    ...Array.from({ length: count }, (_, i) => write(i)),
  ]
  expect(writeTexts(tallied(writes(6)), 1000)).toEqual([])
  expect(writeTexts(tallied(writes(7)), 1000)).toEqual([`7 writes of ${object}, 0 conflicts in all`])
})

test('a write that was refused as often counts as one', () => {
  const refused: Write = { ...report, verb: 'update', resource: `${reports}/status`, code: 409 }
  const tally = tallied([...acquired(2), ...Array.from({ length: 5 }, () => refused)])
  expect(writeTexts(tally, 2)).toEqual([
    '7 writes of servicel2statuses metallb-system/l2-1, 5 conflicts in all',
  ])
})
