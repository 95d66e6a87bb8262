import { expect, test } from 'vitest'
import { HopsReader } from './next-hops.ts'

test('a route with several next hops, one with one, one that goes, and one of another address', () => {
  const reader = new HopsReader('198.18.0.1')
  const lines = [
    '198.18.0.1 nhid 30 proto bgp metric 20 ',
    '\tnexthop via 192.168.77.11 dev eth0 weight 1 ',
    '\tnexthop via 192.168.77.12 dev eth0 weight 1 ',
    '198.18.0.2 nhid 31 proto bgp metric 20 ',
    '\tnexthop via 192.168.77.13 dev eth0 weight 1 ',
    '198.18.0.1 nhid 32 via 192.168.77.12 dev eth0 proto bgp metric 20 ',
    'Deleted 198.18.0.1 nhid 32 via 192.168.77.12 dev eth0 proto bgp metric 20 ',
  ]
  for (const [at, line] of lines.entries()) reader.read(line, at)
  expect(reader.changes).toEqual([
    { at: 0, hops: ['192.168.77.11', '192.168.77.12'] },
    { at: 5, hops: ['192.168.77.12'] },
    { at: 6, hops: [] },
  ])
})
