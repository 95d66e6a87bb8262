import { serviceType } from '@landfall/kube'
import type { Service } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { externalProblem } from './external-name.ts'

const options = { enableExternalNameService: true, dnsLookupFamily: 'auto' as const }
const service = (externalName: string): Service =>
  serviceType.project({
    metadata: { name: 'one', namespace: 'web' },
    spec: { type: 'ExternalName', externalName },
  })

test.each([
  'localhost',
  'LOCALHOST.',
  'localhost.localdomain',
  'local.projectcontour.io.',
  'admin.localhost',
  '127.0.0.1',
  '127.8.8.8',
  '127.1',
  '2130706433',
  '0x7f.1',
  '0.0.0.0',
  '169.254.169.254',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  'fe80::1',
])('%s is never served', (name) => {
  expect(externalProblem(service(name), options)).toContain("Envoy's own machine")
})

test.each(['backend.test', 'backend.test.', '192.0.2.1', '2001:db8::1', 'localhost.test'])(
  '%s is',
  (name) => {
    expect(externalProblem(service(name), options)).toBeUndefined()
  },
)

test('nothing is, unless the configuration says so', () => {
  const off = { ...options, enableExternalNameService: false }
  expect(externalProblem(service('backend.test'), off)).toContain('enableExternalNameService')
})
