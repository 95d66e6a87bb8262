import { crdManifest, projectcontourResources } from '@landfall/api/crd'
import { expect, test } from 'vitest'
import { ruleProblems } from './rules.ts'

const server = { httpSettings: {}, extensionRef: { name: 'a' } }
const keys = { name: 'a', localJWKS: { secretName: 'a', key: 'b' } }

const refused = {
  HTTPProxy: {
    virtualhost: {
      fqdn: 'a.test',
      authorization: { ...server, serviceType: 'grpc' },
      jwtProviders: [keys, { name: 'b' }, { ...keys, remoteJWKS: { uri: 'https://keys.test/' } }],
    },
  },
  ContourConfiguration: { globalExtAuth: server },
}

test('every rule of the definitions is known, in their words', () => {
  const found = Object.entries(refused).flatMap(([kind, spec]) => ruleProblems(kind, spec))
  expect(found).toEqual([
    'spec.virtualhost.authorization: httpSettings needs serviceType http',
    'spec.virtualhost.jwtProviders[1]: exactly one of remoteJWKS and localJWKS is needed',
    'spec.virtualhost.jwtProviders[2]: exactly one of remoteJWKS and localJWKS is needed',
    'spec.globalExtAuth: httpSettings needs serviceType http',
  ])
  const text = JSON.stringify(projectcontourResources.map(crdManifest))
  const rules = [...text.matchAll(/"x-kubernetes-validations":\[\{"rule":"[^"]*","message":"([^"]*)"\}\]/g)]
  const written = new Set(rules.map(([, message]) => message))
  expect(written.size).toBeGreaterThan(0)
  expect(text.match(/"x-kubernetes-validations"/g)).toHaveLength(rules.length)
  expect(new Set(found.map((one) => one.replace(/^.*: /, '')))).toEqual(written)
})

test('what keeps them is no problem', () => {
  const http = { ...server, serviceType: 'http' }
  const virtualhost = { fqdn: 'a.test', authorization: http, jwtProviders: [keys] }
  expect(ruleProblems('HTTPProxy', { virtualhost })).toEqual([])
  expect(ruleProblems('HTTPProxy', {})).toEqual([])
  expect(ruleProblems('ContourConfiguration', { globalExtAuth: http })).toEqual([])
  expect(ruleProblems('ExtensionService', { services: [] })).toEqual([])
})
