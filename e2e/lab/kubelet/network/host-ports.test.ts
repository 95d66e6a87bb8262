import { expect, test } from 'vitest'
import { ruleset } from './host-ports.ts'

const pod = { podPort: 8080, podIPs: ['10.244.1.2', 'fd00::2'] as const, protocol: 'tcp' as const }

function rules(hostIP: string | undefined): readonly string[] {
  return ruleset([{ ...pod, hostIP, hostPort: 80 }])
    .split('\n')
    .filter((line) => line.includes('dport'))
    .map((line) => line.trim())
}

test('any address, both families', () => {
  const both = [
    'meta nfproto ipv4 tcp dport 80 dnat ip to 10.244.1.2:8080',
    'meta nfproto ipv6 tcp dport 80 dnat ip6 to [fd00::2]:8080',
  ]
  expect(rules(undefined)).toEqual(both)
  expect(rules('0.0.0.0')).toEqual(both)
})

test('one address, its family alone', () => {
  expect(rules('10.0.0.5')).toEqual(['ip daddr 10.0.0.5 tcp dport 80 dnat ip to 10.244.1.2:8080'])
  expect(rules('fd99::5')).toEqual(['ip6 daddr fd99::5 tcp dport 80 dnat ip6 to [fd00::2]:8080'])
})
