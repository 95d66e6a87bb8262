import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAnswers, parseNeighborTable } from './link-tools.ts'

const data = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8')

test('each answer to an ARP request or a neighbour solicitation gives its MAC', () => {
  expect(parseAnswers(data('arping.txt'))).toEqual(['b2:3e:e2:7d:0c:1e', 'b2:3e:e2:7d:0c:1e'])
  expect(parseAnswers(data('ndisc6.txt'))).toEqual(['92:59:0d:6e:db:dc'])
  expect(parseAnswers('ARPING 192.168.77.222\nTimeout\n')).toEqual([])
})

test('the neighbour table, with entries that no one answered for', () => {
  expect(parseNeighborTable(data('neighbours.json'))).toEqual([
    { ip: '192.168.77.251', interface: 'eth0', mac: '0e:b5:80:52:9f:64', state: 'REACHABLE' },
    { ip: '192.168.77.222', interface: 'eth0', mac: undefined, state: 'FAILED' },
    { ip: 'fd00:77::252', interface: 'eth0', mac: 'be:a7:50:c2:c2:36', state: 'REACHABLE' },
  ])
  expect(parseNeighborTable('')).toEqual([])
})
