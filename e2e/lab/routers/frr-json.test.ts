import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseBfdPeers, parseNeighbors, parseRoutes } from './frr-json.ts'

const data = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8')

test("a route's next hops are those in the kernel's table, sorted", () => {
  expect(parseRoutes(data('ip-route.json'))).toEqual([
    {
      prefix: '203.0.113.10/32',
      nextHops: [
        { ip: '192.168.77.11', interface: 'eth0' },
        { ip: '192.168.77.12', interface: 'eth0' },
      ],
    },
  ])
  const v6 = parseRoutes(data('ipv6-route.json'))
  expect(v6.map((r) => [r.prefix, r.nextHops.length])).toEqual([['2001:db8::10/128', 3]])
  expect(parseRoutes('{}')).toEqual([])
})

test('a next hop that is not installed does not count', () => {
  const hops = [
    { ip: '10.0.0.2', fib: true },
    { ip: '10.0.0.1' },
    { ip: '10.0.0.2', fib: true, duplicate: true },
  ]
  const table = {
    '10.1.0.0/16': [{ selected: true, nexthops: hops }, { nexthops: [{ ip: '10.0.0.9', fib: true }] }],
  }
  expect(parseRoutes(JSON.stringify(table))).toEqual([
    { prefix: '10.1.0.0/16', nextHops: [{ ip: '10.0.0.2', interface: '' }] },
  ])
})

test('neighbours of both families', () => {
  const neighbors = parseNeighbors(data('neighbors.json'))
  expect(neighbors.map((n) => n.address)).toEqual([
    '192.168.77.11',
    '192.168.77.12',
    '192.168.77.13',
    'fd00:77::11',
    'fd00:77::12',
    'fd00:77::13',
  ])
  expect(neighbors[0]).toEqual({
    address: '192.168.77.11',
    remoteAs: 64500,
    state: 'Established',
    uptimeMs: 3000,
    accepted: { ipv4: 1, ipv6: 0 },
  })
})

test('bfd peers', () => {
  expect(parseBfdPeers('[{"peer":"b","status":"down"},{"peer":"a","status":"up"}]')).toEqual([
    { address: 'a', status: 'up' },
    { address: 'b', status: 'down' },
  ])
})
