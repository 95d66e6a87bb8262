import { expect, it } from 'vitest'
import { localPort, PortsUsed } from './ports.ts'

it('no port comes again before all others were used', () => {
  const ports = Array.from({ length: 31_600 }, (_, n) => localPort(n))
  expect(new Set(ports).size).toBe(31_600)
  expect([Math.min(...ports), Math.max(...ports)]).toEqual([1_100, 32_699])
  expect(localPort(31_600)).toBe(localPort(0))
})

it('a load goes on where the last one to the same address ended', () => {
  const used = new PortsUsed()
  const start = used.of('client', '192.0.2.1')
  used.add('client', '192.0.2.1', 10)
  expect(used.of('client', '192.0.2.1')).toBe(start + 10)
})
