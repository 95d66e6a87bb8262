import { expect, test } from 'vitest'
import { tallied, type Write, writeTexts } from './writes.ts'

const reports = 'servicel2statuses'

function acquired(count: number): readonly Write[] {
  return Array.from({ length: count }, (): readonly Write[] => [
    { verb: 'create', resource: reports, code: 201 },
    { verb: 'update', resource: `${reports}/status`, code: 200 },
    { verb: 'create', resource: 'events', code: 201 },
  ]).flat()
}

test('a request that deletes all that a node left is no write of an address', () => {
  const writes: readonly Write[] = [
    { verb: 'deletecollection', resource: reports, code: 504 },
    { verb: 'deletecollection', resource: reports, code: 200 },
    { verb: 'create', resource: 'configurationstates', code: 201 },
    { verb: 'update', resource: `${reports}/status`, code: 409 },
    ...acquired(1000),
  ]
  const tally = tallied(writes)
  expect(tally).toEqual({ ofAddresses: 3000, ofAllAtOnce: 2, others: 1, conflicts: 1 })
  expect(writeTexts(tally, 1000)).toEqual([])
})

test('a fourth write of a single address is one too many', () => {
  const again: Write = { verb: 'delete', resource: reports, code: 200 }
  expect(writeTexts(tallied([...acquired(1000), again]), 1000)).toEqual(['3.001 writes an address'])
})

test('nothing written is as wrong as one deletion after the other', () => {
  const sweep: Write = { verb: 'deletecollection', resource: reports, code: 200 }
  expect(writeTexts(tallied([sweep, sweep, sweep]), 10)).toEqual([
    'nothing was written when the addresses were taken over',
    '3 requests that delete what a node left',
  ])
})
