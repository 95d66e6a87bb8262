import { expect, test } from 'vitest'
import type { Settings } from '../configuration/settings.ts'
import { documentsOf } from './documents.ts'
import { hasErrors, table } from './index.ts'
import { validate } from './validate.ts'

const good = `
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {ports: [{port: 80}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop}
spec:
  virtualhost: {fqdn: shop.test}
  routes: [{services: [{name: echo, port: 80}]}]
`

function findings(text: string) {
  return validate(documentsOf('a.yaml', text), {}, 'default')
}

test('what is good is valid, in the namespace that is meant', () => {
  const found = findings(good)
  expect(found).toEqual([
    { file: 'a.yaml', kind: 'HTTPProxy', namespace: 'default', name: 'shop', status: 'valid', problems: [] },
  ])
  expect(hasErrors(found)).toBe(false)
})

test('a status says the same as in a cluster: errors, warnings, orphans, and what a class leaves to others', () => {
  const text = `${good}---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: lost, namespace: web}
spec: {routes: [{services: [{name: echo, port: 80}]}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: gone, namespace: web}
spec: {virtualhost: {fqdn: gone.test}, routes: [{services: [{name: none, port: 80}]}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: other, namespace: web}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: a, port: {number: 80}}}}
`
  const found = findings(text)
  expect(found.map(({ name, status }) => [name, status])).toEqual([
    ['shop', 'valid'],
    ['lost', 'orphaned'],
    ['gone', 'invalid'],
    ['other', 'ignored'],
  ])
  expect(found[2]?.problems).toMatchObject([{ reason: 'ServiceUnresolvedReference' }])
  expect(hasErrors(found)).toBe(true)
  expect(table(found)).toContain('HTTPProxy  web/gone      invalid   a.yaml\n  error ServiceError/Service')
})

test('what the API server would refuse is told, and not translated', () => {
  const text = `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop, namespace: web}
spec: {virtualhost: {fqdn: shop.test}, routes: [{services: [{name: echo, port: eighty}]}], timeout: 5}
`
  const [found, ...more] = findings(text)
  expect(more).toEqual([])
  expect(found?.problems.map(({ reason, message }) => [reason, message.split(':')[0]])).toEqual([
    ['RefusedByAPIServer', 'spec.routes[0].services[0].port'],
    ['RefusedByAPIServer', 'spec.timeout'],
  ])
})

test('annotations that are no texts are told by name, of objects without a schema too', () => {
  const kinds = ['Ingress', 'Service', 'Secret', 'HTTPProxy']
  const texts = kinds.map((kind) => {
    const version = { Ingress: 'networking.k8s.io/v1', HTTPProxy: 'projectcontour.io/v1' }[kind] ?? 'v1'
    const metadata = `{name: ${kind.toLowerCase()}, labels: , annotations: {projectcontour.io/num-retries: 5}}`
    return `apiVersion: ${version}\nkind: ${kind}\nmetadata: ${metadata}\nspec: {}\n`
  })
  expect(findings(texts.join('---\n')).map(({ kind, problems }) => [kind, problems[0]?.message])).toEqual(
    kinds.map((kind) => [
      kind,
      'metadata.annotations["projectcontour.io/num-retries"]: must be a string: put it in quotes',
    ]),
  )
  expect(findings(good.replace('{name: shop}', '{name: shop, annotations: , labels: }'))).toMatchObject([
    { name: 'shop', status: 'valid' },
  ])
})

test('a configuration is judged, and holds for the objects beside it', () => {
  const text = `${good}---
apiVersion: v1
kind: ConfigMap
metadata: {name: contour, namespace: projectcontour}
data: {contour.yaml: "tls: {minimum-protocol-version: '1.2'}"}
`
  expect(findings(text).map(({ kind, status }) => [kind, status])).toEqual([
    ['ConfigMap', 'valid'],
    ['HTTPProxy', 'valid'],
  ])
  const bad = findings('tls: {minimum: 1}\n')
  expect(bad).toMatchObject([
    { kind: 'File', status: 'invalid', problems: [{ message: 'tls.minimum: is no key that is known' }] },
  ])
  const roots = `${good}---
apiVersion: projectcontour.io/v1alpha1
kind: ContourConfiguration
metadata: {name: contour, namespace: projectcontour}
spec: {httpproxy: {rootNamespaces: [roots]}}
`
  expect(findings(roots).map(({ name, status }) => [name, status])).toEqual([
    ['contour', 'valid'],
    ['shop', 'invalid'],
  ])
})

test('a configuration that the API server would refuse is told once, and holds for nothing', () => {
  const refused = (spec: string) => `${good}---
apiVersion: projectcontour.io/v1alpha1
kind: ContourConfiguration
metadata: {name: contour}
spec: ${spec}
`
  const roots = 'httpproxy: {rootNamespaces: [roots]}'
  const specs = {
    [`{${roots}, health: {port: 0}}`]: 'spec.health.port',
    [`{${roots}, globalExtAuth: {httpSettings: {}}}`]: 'spec.globalExtAuth',
  }
  for (const [spec, path] of Object.entries(specs))
    expect(findings(refused(spec))).toMatchObject([
      {
        kind: 'ContourConfiguration',
        problems: [{ reason: 'RefusedByAPIServer', message: expect.stringMatching(`^${path}: `) }],
      },
      { name: 'shop', status: 'valid' },
    ])
})

test('a configuration that serve would not start on is invalid, unless a flag puts health elsewhere', () => {
  const files = 'server-certificate-path: /a, server-key-path: /b'
  const file = `metrics: {envoy: {port: 8002, ${files}}}\n`
  const object = `
apiVersion: projectcontour.io/v1alpha1
kind: ContourConfiguration
metadata: {name: contour}
spec: {envoy: {metrics: {port: 8002, tls: {certFile: /a, keyFile: /b}}}}
`
  const why = 'needs a port of its own, apart from that of health'
  const paths = { [file]: 'metrics.envoy.server-certificate-path', [object]: 'envoy.metrics.tls.certFile' }
  for (const [text, path] of Object.entries(paths)) {
    expect(findings(text)).toMatchObject([{ status: 'invalid', problems: [{ message: `${path}: ${why}` }] }])
    const elsewhere = validate(documentsOf('a.yaml', text), { statsPort: 8010 }, 'default')
    expect(elsewhere).toMatchObject([{ status: 'valid', problems: [] }])
  }
})

test('a configuration beside the documents holds for them, below flags', () => {
  const documents = documentsOf('a.yaml', good)
  const chosen = { rootNamespaces: ['roots'] }
  const statuses = (flags: Settings) =>
    validate(documents, flags, 'default', chosen).map(({ status }) => status)
  expect(statuses({})).toEqual(['invalid'])
  expect(statuses({ rootNamespaces: ['default'] })).toEqual(['valid'])
})

test('what is no YAML, or no object, is told, and the rest is judged', () => {
  const found = findings(`${good}---\nkind: Orphan\n---\nkind: *none\n---\na: [\n`)
  expect(found.map(({ kind, status }) => [kind, status])).toEqual([
    ['File', 'invalid'],
    ['File', 'invalid'],
    ['File', 'invalid'],
    ['HTTPProxy', 'valid'],
  ])
})
