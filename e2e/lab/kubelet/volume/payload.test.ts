import { expect, test } from 'vitest'
import type { Pod, PodSecurityContext, Volume } from '../api/pod.ts'
import { payload, payloadReferences } from './payload.ts'

const metadata = { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', labels: { b: '2', a: '1' } }

function files(volume: Omit<Volume, 'name'>, context: PodSecurityContext = {}) {
  const pod: Pod = { metadata, spec: { securityContext: context, containers: [{ name: 'c', image: 'i' }] } }
  const outcome = payload(
    { name: 'v', ...volume },
    {
      pod,
      place: { podIPs: [], hostIPs: [], capacity: { cpu: 1, memory: 1 } },
      secret: (name) =>
        name === 's' ? { metadata, data: { k: Buffer.from('secret').toString('base64') } } : undefined,
      configMap: (name) =>
        name === 'm'
          ? {
              metadata,
              data: { a: '1', b: '2' },
              binaryData: { raw: Buffer.from([0, 255]).toString('base64') },
            }
          : undefined,
      token: (source) => (source.serviceAccountToken?.audience === 'late' ? undefined : 'tok'),
    },
  )
  if (outcome === undefined) return undefined
  return outcome.ok
    ? outcome.files.map((f) => `${f.path} ${f.mode.toString(8)} ${f.content.toString('latin1')}`)
    : outcome.problems
}

test('a volume without content has no payload', () => {
  expect(files({ emptyDir: {} })).toBeUndefined()
})

test('a secret whole, with its mode', () => {
  expect(files({ secret: { secretName: 's', defaultMode: 0o400 } })).toEqual(['k 400 secret'])
})

test('items choose, rename and set a mode', () => {
  const items = [
    { key: 'b', path: 'deep/b' },
    { key: 'raw', path: 'raw', mode: 0o600 },
  ]
  expect(files({ configMap: { name: 'm', items } })).toEqual(['deep/b 644 2', 'raw 600 \x00ÿ'])
})

test('missing objects and keys are problems, all of them, unless optional', () => {
  const items = [{ key: 'none', path: 'x' }]
  expect(files({ secret: { secretName: 'gone' } })).toEqual(['secret "gone" not found'])
  expect(files({ configMap: { name: 'm', items } })).toEqual(['configmap "m" has no key none'])
  expect(files({ configMap: { name: 'm', items, optional: true } })).toEqual([])
  expect(
    files({
      projected: {
        sources: [
          { secret: { name: 'x' } },
          { configMap: { name: 'y' } },
          { secret: { name: 'z', optional: true } },
        ],
      },
    }),
  ).toEqual(['secret "x" not found', 'configmap "y" not found'])
})

test('a path that leaves the volume is refused', () => {
  expect(files({ configMap: { name: 'm', items: [{ key: 'a', path: '../x' }] } })).toEqual([
    'path ../x leaves the volume',
  ])
})

test('projected sources together, a later one wins', () => {
  const sources = [
    { configMap: { name: 'm', items: [{ key: 'a', path: 'same' }] } },
    { secret: { name: 's', items: [{ key: 'k', path: 'same' }] } },
    { serviceAccountToken: { path: 'token' } },
    { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ]
  expect(files({ projected: { sources } })).toEqual([
    'labels 644 a="1"\nb="2"',
    'same 644 secret',
    'token 644 tok',
  ])
})

test('a token is its user’s alone where the pod says who that is', () => {
  const volume = { projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }
  expect(files(volume, { runAsUser: 5 })).toEqual(['t 600 tok'])
  expect(files(volume, { fsGroup: 5 })).toEqual(['t 600 tok'])
})

test('a token that is not there yet', () => {
  const sources = [{ serviceAccountToken: { path: 't', audience: 'late' } }]
  expect(files({ projected: { sources } })).toHaveLength(1)
  expect(files({ projected: { sources } })?.[0]).toContain('no token yet')
})

test('what to watch for it', () => {
  const sources = [
    { secret: { name: 's' } },
    { configMap: { name: 'm' } },
    { serviceAccountToken: { path: 't' } },
  ]
  expect(payloadReferences({ name: 'v', projected: { sources } })).toEqual([
    { kind: 'Secret', name: 's' },
    { kind: 'ConfigMap', name: 'm' },
  ])
})
