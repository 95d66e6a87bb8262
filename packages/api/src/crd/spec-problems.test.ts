import { expect, test } from 'vitest'
import { projectcontourResources } from './projectcontour.ts'
import { specProblems } from './spec-problems.ts'

const httpProxy = projectcontourResources.find(({ kind }) => kind === 'HTTPProxy')

function problems(spec: unknown): readonly string[] | undefined {
  return httpProxy && specProblems(httpProxy, 'v1', spec)
}

test('a good HTTPProxy has none', () => {
  const routes = [{ services: [{ name: 'a', port: 80 }], conditions: [{ prefix: '/' }] }]
  expect(problems({ virtualhost: { fqdn: 'a.test' }, routes })).toEqual([])
})

test('what the schema refuses is told with its path, and so are fields that it does not know', () => {
  const routes = [{ services: [{ name: 'a', port: 'http' }], retries: 3 }]
  expect(problems({ virtualhost: {}, routes })).toEqual([
    expect.stringMatching(/^spec\.virtualhost: .*fqdn/),
    expect.stringMatching(/^spec\.routes\[0\]\.services\[0\]\.port: /),
    'spec.routes[0].retries: is no field that is known',
  ])
  expect(problems(undefined)).toEqual(['spec: is required'])
})

test('an integer that its format cannot hold is told, with its path', () => {
  const services = [{ name: 'a', port: 80, weight: 1e300 }]
  const internalRedirectPolicy = { maxInternalRedirects: 2 ** 31 }
  const retryPolicy = { count: 2 ** 62 }
  expect(
    problems({
      virtualhost: { fqdn: 'a.test' },
      routes: [{ services, internalRedirectPolicy, retryPolicy }],
    }),
  ).toEqual([
    'spec.routes[0].services[0].weight: is no int64',
    'spec.routes[0].internalRedirectPolicy.maxInternalRedirects: is no int32',
  ])
})

test('of a version that is not served nothing is said', () => {
  expect(httpProxy && specProblems(httpProxy, 'v9', {})).toBeUndefined()
})
