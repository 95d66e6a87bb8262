import { expect, test } from 'vitest'
import { readHealthCheck } from './health-check.ts'

test.each([
  ['host', { path: '/', host: 'a\nb' }, 'host: control characters are no name of a host'],
  ['path', { path: '/\u0000' }, 'path: control characters are no path'],
])('what is no header value as %s of a health check is refused', (_, policy, message) => {
  expect(readHealthCheck('routes[0]', policy)).toMatchObject({
    problems: [{ reason: 'HealthCheckPolicyInvalid', message: `routes[0].healthCheckPolicy.${message}` }],
  })
})

test('a host of its own is asked for', () => {
  const policy = { path: '/ready', host: 'shop.example.com' }
  expect(readHealthCheck('routes[0]', policy)).toMatchObject({ value: policy })
})
