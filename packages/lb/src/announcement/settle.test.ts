import { expect, test } from 'vitest'
import type { Said } from './announced.ts'
import { Settling, settleMs } from './settle.ts'

const said = (status: Said['status'], reason: string): Said => ({ status, reason, message: reason })
const unreported = said('Unknown', 'notReported')
const announced = said('True', 'Announced')
const noEndpoints = said('False', 'noEndpoints')

test.each<readonly [string, Said | undefined, Said | undefined, boolean, number]>([
  ['announced for the first time', unreported, announced, false, 100],
  ['and by another protocol perhaps', unreported, announced, true, 3000],
  ['announced after all', noEndpoints, announced, false, 100],
  ['from elsewhere', announced, said('True', 'Announced'), true, 4000],
  ['the pods of a new Service are to come', unreported, noEndpoints, false, 30_000],
  ['and where they have to be', undefined, said('False', 'noLocalEndpoints'), false, 30_000],
  ['nothing will come of itself', unreported, said('False', 'noMatchingAdvertisement'), false, 2000],
  ['its pods are gone', announced, noEndpoints, false, 2000],
  ['for another reason than before', said('False', 'nodeNetworkUnavailable'), noEndpoints, false, 2000],
  ['nobody says anything any more', announced, unreported, false, 2000],
  ['nothing is known', announced, undefined, false, 2000],
])('%s', (_, was, is, severalProtocols, expected) => {
  expect(settleMs(was, is, severalProtocols)).toBe(expected)
})

test('what is said instead waits anew, and a node more does not', () => {
  const settling = new Settling()
  expect(settling.wait('default/web', [undefined, unreported, false], 0)).toBe(2000)
  expect(settling.wait('default/web', [unreported, noEndpoints, false], 1500)).toBe(30_000)
  expect(settling.wait('default/web', [unreported, noEndpoints, false], 2000)).toBe(29_500)
  expect(settling.wait('default/web', [unreported, announced, true], 9000)).toBe(3000)
  const more = { ...announced, message: 'another' }
  expect(settling.wait('default/web', [unreported, more, true], 11_999.5)).toBe(1)
  expect(settling.wait('default/web', [unreported, more, true], 12_000)).toBe(0)
  settling.forget('default/web')
  expect(settling.wait('default/web', [announced, noEndpoints, true], 13_000)).toBe(2000)
})
