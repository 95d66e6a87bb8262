import { expect, test } from 'vitest'
import { places } from '../testing.ts'
import { adviceOn, advisedReasons, editing } from './advice.ts'

const about = { kind: 'HTTPProxy', name: 'web/shop', places }
const command = /\b(kubectl|nc|tcpdump|ping) -|\bkubectl [a-z]+ |\bip address\b/
/** There is nothing left to be done. */
const without = ['serviceDeleted']

test.each(advisedReasons.filter((reason) => !without.includes(reason)))('%s: a command to type', (reason) => {
  const advice = adviceOn(reason, about)
  expect(advice).toMatch(command)
  expect(advice).not.toMatch(/[{](edit|kind|name|namespace|system)[}]/)
})

test.each([
  ['SecretNotValid', 'Secret "web/tls" not found', 'kubectl -n web create secret tls tls --'],
  ['SecretNotFound', 'there is no Secret lb/key', 'kubectl -n lb create secret generic key --'],
  [
    'DelegationNotPermitted',
    'Secret "certs/tls": certificate delegation not permitted',
    '"metadata":{"namespace":"certs","name":"tls"},"spec":{"delegations":[{"secretName":"tls","targetNamespaces":["web"]}]}',
  ],
  ['EnvoyRefused', 'pattern too large', 'kubectl -n web edit httpproxy shop'],
])('%s of "%s" names what the message does', (reason, message, named) => {
  expect(adviceOn(reason, about, message)).toContain(named)
})

test('what has no namespace is edited without one', () => {
  expect(editing('Node', 'n1')).toBe('kubectl edit node n1')
})
