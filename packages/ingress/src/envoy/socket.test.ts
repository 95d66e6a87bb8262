import { expect, test } from 'vitest'
import { keepalive, marks } from './socket.ts'

test('options are described as Contour does, so that Envoy goes on with the sockets of its listeners', () => {
  const all = [...keepalive, ...marks({ address: '::', port: 80 }, { tos: 1, trafficClass: 1 })]
  expect(all.map(({ description }) => description)).toEqual([
    'Enable TCP keep-alive',
    'TCP keep-alive initial idle time',
    'TCP keep-alive time between probes',
    'TCP keep-alive probe count',
    'Set IPv4 TOS field',
    'Set IPv6 Traffic Class field',
  ])
})
