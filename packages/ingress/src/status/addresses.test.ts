import type { Service } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { ingressAddresses, sameAddresses } from './addresses.ts'

const isAddress = (text: string) => /^[0-9.]+$|:/.test(text)
const envoy = { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.test' }] } as Partial<Service> as Service

test('the addresses of the Service in front of Envoy', () => {
  expect(ingressAddresses('', envoy, isAddress)).toEqual([{ ip: '192.0.2.1' }, { hostname: 'lb.test' }])
  expect(ingressAddresses('', undefined, isAddress)).toEqual([])
})

test('what is told by option comes before', () => {
  const told = ingressAddresses('192.0.2.7, lb.example.test,2001:db8::7', envoy, isAddress)
  expect(told).toEqual([{ ip: '192.0.2.7' }, { hostname: 'lb.example.test' }, { ip: '2001:db8::7' }])
})

test('compares by content', () => {
  expect(sameAddresses([{ ip: '192.0.2.1' }], [{ ip: '192.0.2.1' }])).toBe(true)
  expect(sameAddresses([{ ip: '192.0.2.1' }], [])).toBe(false)
  expect(sameAddresses([{ ip: '192.0.2.1' }], [{ hostname: '192.0.2.1' }])).toBe(false)
})
