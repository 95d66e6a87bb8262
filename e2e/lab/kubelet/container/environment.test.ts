import { expect, test } from 'vitest'
import type { ConfigMap, Container, EnvVar, Pod, Secret } from '../api/pod.ts'
import { environment } from './environment.ts'

const metadata = {
  name: 'p',
  namespace: 'ns',
  uid: 'u1',
  resourceVersion: '1',
  labels: { app: 'x' },
  annotations: {},
}
const secret: Secret = { metadata, data: { pass: Buffer.from('s3').toString('base64') } }
const configMap: ConfigMap = { metadata, data: { A: 'from-map' } }

function run(container: Partial<Container>) {
  const whole: Container = { name: 'c', image: 'i', ...container }
  const pod: Pod = {
    metadata,
    spec: { nodeName: 'n1', serviceAccountName: 'sa', containers: [whole] },
  }
  return environment({
    pod,
    container: whole,
    place: {
      podIPs: ['10.244.1.2', 'fd00::2'],
      hostIPs: ['10.0.0.1', 'fd99::1'],
      capacity: { cpu: 4, memory: 2 ** 30 },
    },
    secret: (name) => (name === 's' ? secret : undefined),
    configMap: (name) => (name === 'm' ? configMap : undefined),
    apiServer: { host: '10.96.0.1', port: 443 },
  })
}

function variable(entry: Omit<EnvVar, 'name'>, resources: Container['resources'] = {}): string | undefined {
  const outcome = run({ env: [{ name: 'X', ...entry }], resources })
  return outcome.ok ? outcome.variables.get('X') : outcome.problems.join()
}

test('where the API server is', () => {
  const outcome = run({})
  expect(outcome.ok && outcome.variables.get('KUBERNETES_SERVICE_HOST')).toBe('10.96.0.1')
  expect(outcome.ok && outcome.variables.get('KUBERNETES_PORT')).toBe('tcp://10.96.0.1:443')
})

test.each([
  ['metadata.name', 'p'],
  ['metadata.namespace', 'ns'],
  ['metadata.uid', 'u1'],
  ["metadata.labels['app']", 'x'],
  ["metadata.annotations['none']", ''],
  ['spec.nodeName', 'n1'],
  ['spec.serviceAccountName', 'sa'],
  ['status.podIP', '10.244.1.2'],
  ['status.podIPs', '10.244.1.2,fd00::2'],
  ['status.hostIP', '10.0.0.1'],
  ['status.hostIPs', '10.0.0.1,fd99::1'],
  ['status.phase', 'unknown field status.phase'],
])('fieldRef %s', (fieldPath, value) => {
  expect(variable({ valueFrom: { fieldRef: { fieldPath } } })).toBe(value)
})

test.each([
  ['limits.memory', '1Mi', '100'],
  ['limits.cpu', undefined, '1'],
  ['limits.cpu', '1m', '250'],
  ['requests.cpu', '1m', '0'],
  ['requests.memory', undefined, '52428800'],
  ['limits.gpu', undefined, 'unknown resource limits.gpu'],
])('resourceFieldRef %s by %s', (resource, divisor, value) => {
  const resources = { limits: { memory: '100Mi', cpu: '250m' }, requests: { memory: '50Mi' } }
  const resourceFieldRef = { resource, ...(divisor === undefined ? {} : { divisor }) }
  expect(variable({ valueFrom: { resourceFieldRef } }, resources)).toBe(value)
})

test('a limit that is not set is what the node has', () => {
  expect(variable({ valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } })).toBe('4')
})

test('each value may use those before it, and envFrom', () => {
  const outcome = run({
    envFrom: [{ prefix: 'M_', configMapRef: { name: 'm' } }, { secretRef: { name: 's' } }],
    env: [
      { name: 'ONE', value: '$(M_A)+$(pass)' },
      { name: 'TWO', value: '$(ONE)!$(THREE)' },
      { name: 'THREE', value: 'late' },
    ],
  })
  expect(outcome.ok && outcome.variables.get('TWO')).toBe('from-map+s3!$(THREE)')
})

test('what is missing is told, all of it, unless it is optional', () => {
  const outcome = run({
    envFrom: [{ secretRef: { name: 'no' } }, { configMapRef: { name: 'no', optional: true } }],
    env: [
      { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'other' } } },
      { name: 'B', valueFrom: { configMapKeyRef: { name: 'gone', key: 'x' } } },
      { name: 'C', valueFrom: { configMapKeyRef: { name: 'gone', key: 'x', optional: true } } },
    ],
  })
  expect(outcome).toEqual({
    ok: false,
    problems: [
      'secret "no" not found',
      'couldn\'t find key other in secret "s"',
      'configmap "gone" not found',
    ],
  })
})
