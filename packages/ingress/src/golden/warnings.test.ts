/** What is accepted and says nothing is pointed out on its object. */
import { expect, test } from 'vitest'
import { defaultDagOptions } from '../dag/options.ts'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { readObjects } from './objects.ts'

const services = `
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web}
spec: {ports: [{name: http, port: 80}]}
`
const shop = 'services: [{name: shop, port: 80}]'

/** Of the first object, which serves. */
function warnings(text: string, others = services): readonly string[] {
  const world = emptyWorld()
  const { changes } = readObjects(text + others)
  for (const change of changes) take(world, change)
  const engine = new Engine(world, { ...defaultEngineOptions, dag: defaultDagOptions })
  engine.apply(changes)
  const [first] = changes
  if (first?.kind !== 'httpProxy' && first?.kind !== 'ingress')
    throw new Error('neither HTTPProxy nor Ingress')
  const { problems } = engine.verdict(first.kind, first.key)
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return problems.map(({ message }) => message)
}

/** @param routes as YAML in flow style */
function ofRoutes(routes: string): readonly string[] {
  return warnings(`
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop, namespace: web}
spec: {virtualhost: {fqdn: shop.test}, routes: [${routes}]}
`)
}

test.each([
  [
    'header: {name: A, present: true, exact: b}',
    'header "A": exact is ignored beside present; give it a condition of its own',
  ],
  [
    'header: {name: A, regex: b, ignoreCase: true}',
    'header "A": ignoreCase is ignored with regex; write (?i) into it',
  ],
  [
    'header: {name: A, exact: b, treatMissingAsEmpty: true}',
    'header "A": treatMissingAsEmpty is ignored with exact',
  ],
  [
    'header: {name: A, notpresent: true, treatMissingAsEmpty: true}',
    'header "A": treatMissingAsEmpty is ignored with notpresent',
  ],
  [
    'queryParameter: {name: a, regex: b, ignoreCase: true}',
    'queryParameter "a": ignoreCase is ignored with regex; write (?i) into it',
  ],
  ['header: {name: A, notexact: b, ignoreCase: true, treatMissingAsEmpty: true}', undefined],
  ['queryParameter: {name: a, exact: b, ignoreCase: true}', undefined],
])('condition {%s}', (condition, said) => {
  expect(ofRoutes(`{conditions: [{${condition}}], ${shop}}`)).toEqual(
    said === undefined ? [] : [`spec.routes[0].conditions.${said}`],
  )
})

test('a route of mirrors alone', () => {
  const mirror = '{name: shop, port: 80, mirror: true}'
  expect(ofRoutes(`{services: [${mirror}]}`)).toEqual([
    'spec.routes[0].services: all of them are mirrors, whose answers are ignored: every request is answered with 503',
  ])
  expect(ofRoutes(`{services: [{name: shop, port: 80}, ${mirror}]}`)).toEqual([])
})

test.each([
  [
    '{prefix: /b, replacement: /c}',
    ': nothing is rewritten, as no entry has the prefix "/a" that the route has',
  ],
  ['{prefix: /a, replacement: z}', '[0].replacement: "z" does not start with /, nor will the paths'],
  ['{prefix: /a, replacement: /z}, {prefix: /b, replacement: /z}', undefined],
  ['{replacement: /z}', undefined],
])('replacePrefix [%s]', (entries, said) => {
  const rewrite = `pathRewritePolicy: {replacePrefix: [${entries}]}`
  expect(ofRoutes(`{conditions: [{prefix: /a}], ${rewrite}, ${shop}}`)).toEqual(
    said === undefined ? [] : [`spec.routes[0].pathRewritePolicy.replacePrefix${said}`],
  )
})

test('two routes of one object with the same conditions', () => {
  const route = (path: string) => `{conditions: [{prefix: ${path}}], ${shop}}`
  expect(ofRoutes([route('/a'), route('/b'), route('/a')].join())).toEqual([
    'spec.routes[0]: ignored, as spec.routes[2] has the same conditions',
  ])
})

test('a route that has no requests on one way, and has them on another, is served', () => {
  const child = `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: child, namespace: web}
spec: {routes: [{conditions: [{prefix: /x/y}], ${shop}}, {conditions: [{prefix: /y}], ${shop}}]}
`
  const root = `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: root, namespace: web}
spec:
  virtualhost: {fqdn: shop.test}
  includes: [{name: child}, {name: child, conditions: [{prefix: /x}]}]
`
  expect(warnings(`${child}---${root}`)).toEqual([])
})

const ingress = (annotations: string, rest = '') => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: web, annotations: {${annotations}}}
spec:
  rules:
  - host: shop.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
  ${rest}
`
const force = 'ingress.kubernetes.io/force-ssl-redirect'
const allow = 'kubernetes.io/ingress.allow-http'

test.each([
  [force, 'yes', '"yes" is neither true nor false, ignored: plain HTTP stays open'],
  [force, 'true', 'redirects to nothing, as there is no certificate for "shop.test"'],
  [allow, 'False', '"False" is neither true nor false, ignored: plain HTTP stays open'],
  [allow, 'false', 'nothing of it is served, as there is no certificate for "shop.test"'],
  ['projectcontour.io/retry-on', '5xxx', '"5xxx" is no condition that Envoy knows, ignored'],
  ['projectcontour.io/websocket-routes', '/ws', 'no path is "/ws", ignored'],
  [force, 'false', undefined],
  [allow, 'true', undefined],
  ['projectcontour.io/retry-on', '5xx,reset', undefined],
  ['projectcontour.io/websocket-routes', '/', undefined],
])('annotation %s: %s', (name, value, said) => {
  expect(warnings(ingress(`${name}: "${value}"`))).toEqual(
    said === undefined ? [] : [`metadata.annotations["${name}"]: ${said}`],
  )
})

test('of two Ingresses with one path the younger one hears of the older', () => {
  const older = (text: string) =>
    text.replace('name: shop,', "name: older, creationTimestamp: '2026-01-01T00:00:00Z',")
  const younger = (text: string) =>
    text.replace('name: shop,', "name: younger, creationTimestamp: '2026-01-02T00:00:00Z',")
  const both = [older(ingress('')), younger(ingress(''))]
  expect(warnings(both.join('---'))).toEqual([])
  expect(warnings(both.toReversed().join('---'))).toEqual([
    'spec.rules[0].http.paths[0]: ignored, as the older Ingress "web/older" has this path',
  ])
  // Of which nothing is served.
  const closed = older(ingress(`${allow}: "false"`))
  expect(warnings([younger(ingress('')), closed].join('---'))).toEqual([])
})

test('annotations of a Service are told to what leads there', () => {
  const told = services.replace(
    'namespace: web}',
    `namespace: web, annotations: {
      projectcontour.io/max-connections: many, projectcontour.io/max-conections: '5',
      projectcontour.io/max-retries: '0', projectcontour.io/max-requests: '7',
      projectcontour.io/upstream-protocol.h2c: 'http, grpc', example.com/max-connections: many}}`,
  )
  const proxy = `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop, namespace: web}
spec: {virtualhost: {fqdn: shop.test}, routes: [{${shop}}, {conditions: [{prefix: /a}], ${shop}}]}
`
  const said = [
    'max-connections": "many" is no whole number above 0, ignored',
    'max-conections": ignored on a Service',
    'upstream-protocol.h2c": no port is "grpc", ignored',
  ].map((text) => `service "web/shop": annotation "projectcontour.io/${text}`)
  expect(warnings(proxy, told)).toEqual(said)
  expect(warnings(ingress(''), told)).toEqual(said)
})
