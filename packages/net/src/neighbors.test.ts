import { expect, test } from 'vitest'
import { readNeighbor } from './neighbors.ts'

const table = `IP address       HW type     Flags       HW address            Mask     Device
10.77.0.12       0x1         0x0         00:00:00:00:00:00     *        eth0
10.77.0.1        0x1         0x2         02:42:0a:4d:00:ff     *        eth0
`

test('a neighbour that answered has an address, others have none', () => {
  expect(readNeighbor(table, '10.77.0.1')).toEqual(Uint8Array.of(2, 0x42, 10, 0x4d, 0, 255))
  expect(readNeighbor(table, '10.77.0.12')).toBeUndefined()
  expect(readNeighbor(table, '10.77.0.2')).toBeUndefined()
  expect(readNeighbor('', '10.77.0.1')).toBeUndefined()
})
