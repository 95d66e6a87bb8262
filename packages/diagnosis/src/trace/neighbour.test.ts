import { expect, test } from 'vitest'
import { readCase } from '../testing.ts'
import { neighboursIn, neighbourText } from './neighbour.ts'

const { items: nodes } = readCase('healthy').view.observed.nodes
const head = 'IP address       HW type     Flags       HW address            Mask     Device\n'

function tableOf(...lines: readonly string[]): string {
  return head + lines.map((line) => `${line}     *        eth0\n`).join('')
}

const node1 = '192.168.77.11    0x1         0x2         52:54:00:00:00:11'
const node2 = '192.168.77.12    0x1         0x2         52:54:00:00:00:12'

test.each([
  ['by nobody, where no one answered', ['192.168.77.200   0x1         0x0         00:00:00:00:00:00'], ''],
  ['by nobody, where a router is between', [node1], ''],
  [
    'by the node that announces it',
    ['192.168.77.200   0x1         0x2         52:54:00:00:00:11', node1, node2],
    'this machine goes to MAC 52:54:00:00:00:11, of node n1',
  ],
  [
    'by another node',
    ['192.168.77.200   0x1         0x2         52:54:00:00:00:12', node1, node2],
    'this machine goes to MAC 52:54:00:00:00:12, of node n2; announced by n1',
  ],
  [
    'by a host that is no node',
    ['192.168.77.200   0x1         0x2         52:54:00:00:00:99', node1, node2],
    'this machine goes to MAC 52:54:00:00:00:99, which is not that of n1, n2; announced by n1',
  ],
  [
    'by somebody, where no node was spoken to',
    ['192.168.77.200   0x1         0x2         52:54:00:00:00:99'],
    'this machine goes to MAC 52:54:00:00:00:99; announced by n1',
  ],
])('an address is held %s', (_name, lines, said) => {
  expect(neighbourText('192.168.77.200', neighboursIn(tableOf(...lines)), nodes, ['n1'])).toBe(said)
})
