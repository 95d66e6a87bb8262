import { expect, test } from 'vitest'
import { defaultEngineOptions } from '../engine/engine.ts'
import type { RefusedIn } from '../engine/refusals.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { Translations } from '../serve/translations.ts'
import { refusalsTold, refusedCondition } from '../status/programmed-condition.ts'
import { tellIngresses } from '../status/refusal-events.ts'
import type { Layout } from '../xds/layout.ts'
import type { Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'

const objects = `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: a, namespace: web, generation: 3}
spec:
  virtualhost: {fqdn: a.test}
  routes:
  - services: [{name: shop, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web}
spec: {ports: [{port: 80}]}
`

const refusedScope = {
  layout: 'scoped' as const,
  type: 'scopes' as const,
  name: 'http/a.test',
  version: 'f'.repeat(16),
  build: '1.40.0',
  message: 'no',
}

test('what another replica said is kept while the content is the same, or is not known here', () => {
  const world = emptyWorld()
  const { changes } = readObjects(objects)
  for (const change of changes) take(world, change)
  const published = new Map<Layout, Snapshot>()
  const whole = (layout: Layout, snapshot: Snapshot) => published.set(layout, snapshot)
  const translations = new Translations(world, () => [], defaultEngineOptions, {
    whole,
    change: () => {},
    foreseen: () => {},
  })
  translations.apply(changes)
  translations.publish()
  const version = published.get('scoped')?.scopes.get('http/a.test')?.version ?? ''
  const scope = { ...refusedScope, version }
  const kept = (refused: RefusedIn, at: number) => {
    const condition = refusedCondition(undefined, 'a.test', [refused], at, '2026-01-01T00:00:00Z')
    const told = refusalsTold({ conditions: condition === undefined ? [] : [condition] })
    return translations.refusals('a.test', 'web/a', told).length
  }
  const other = 'f'.repeat(16)
  expect(kept(scope, 2)).toBe(1)
  expect(kept({ ...scope, version: other }, 3)).toBe(0)
  expect(kept({ ...scope, version: other }, 4)).toBe(1)
  expect(kept({ ...scope, layout: 'classic' }, 3)).toBe(1)
  expect(kept({ ...scope, layout: 'classic' }, 2)).toBe(0)

  translations.refuse('scoped', scope)
  expect(kept(scope, 3)).toBe(1)
  expect(kept({ ...scope, build: '1.41.0' }, 3)).toBe(2)
  translations.clear('scoped', scope)
  expect(kept(scope, 3)).toBe(0)
})

const withIngress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: b, namespace: web, uid: u1}
spec:
  rules:
  - host: b.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
---${objects}`

test('an Ingress hears by an Event of what Envoys refuse of its host, and of nothing else', () => {
  const world = emptyWorld()
  const { changes } = readObjects(withIngress)
  for (const change of changes) take(world, change)
  const told: unknown[] = []
  const translations = new Translations(world, () => [], defaultEngineOptions, {
    whole: () => {},
    change: () => {},
    foreseen: () => {},
  })
  translations.apply(changes)
  const tell = (name: string) => {
    const refused = { ...refusedScope, name }
    const keys = translations.ingressesOf('scoped', refused)
    tellIngresses({ record: (about, event) => told.push([about, event]) }, keys, world, refused)
  }
  tell('http/a.test')
  expect(told).toEqual([])
  tell('http/b.test')
  expect(told).toEqual([
    [
      { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'web', name: 'b', uid: 'u1' },
      {
        type: 'Warning',
        reason: 'EnvoyRefused',
        message: 'Envoy refuses scopes "http/b.test" and goes on with what it had: no',
      },
    ],
  ])
})
