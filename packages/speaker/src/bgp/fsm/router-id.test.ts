import { formatIP, parseIP } from '@landfall/netip'
import { expect, test } from 'vitest'
import { chooseRouterID } from './router-id.ts'

const ip = (text: string) => parseIP(text) ?? expect.unreachable(text)
const text = (id: number) => formatIP({ family: 4, value: BigInt(id) })
const chosen = (configured: string | undefined, addresses: readonly string[], nodeName = 'node') =>
  text(
    chooseRouterID({
      configured: configured === undefined ? undefined : ip(configured),
      addresses: addresses.map(ip),
      nodeName,
    }),
  )

test('configured, else the session, else its interface, else the hash of the name', () => {
  expect(chosen('192.0.2.9', ['10.0.0.1'])).toBe('192.0.2.9')
  expect(chosen(undefined, ['10.0.0.1', '10.0.0.2'])).toBe('10.0.0.1')
  expect(chosen(undefined, ['fd00::1', 'fe80::1', '10.0.0.2', '10.0.0.1'])).toBe('10.0.0.2')
  expect(chosen(undefined, ['fd00::1'], 'worker-1')).toBe('160.112.56.60')
  expect(chosen(undefined, ['fd00::1'], 'iris1')).toBe('150.80.252.129')
})
