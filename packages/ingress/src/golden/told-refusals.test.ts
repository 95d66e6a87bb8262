import { expect, test } from 'vitest'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import type { RefusedIn } from '../engine/refusals.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { Translations } from '../serve/translations.ts'
import { refusalsTold, refusedCondition } from '../status/programmed-condition.ts'
import { type RefusedOfIngress, refusedOf, tellIngresses } from '../status/refusal-events.ts'
import { type Layout, layouts } from '../xds/layout.ts'
import type { Snapshot } from '../xds/resource.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
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

function translate(changes: readonly Change[], told: readonly RefusedOfIngress[] = []) {
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const snapshots = new Map<Layout, Snapshot>()
  const withheld = new Map<Layout, readonly RefusedContent[]>()
  const translations = new Translations(world, () => [], defaultEngineOptions, {
    whole: (layout, snapshot, refused) => {
      snapshots.set(layout, snapshot)
      withheld.set(layout, refused)
    },
    change: () => {},
    foreseen: () => {},
  })
  translations.remember(told)
  translations.apply(changes)
  translations.publish()
  return { translations, snapshots, withheld }
}

function eventsOf(refused: readonly RefusedOfIngress[]) {
  const events: { metadata: { name: string }; involvedObject: unknown; message: string }[] = []
  const record = (involvedObject: unknown, { message }: { readonly message: string }) =>
    events.push({ metadata: { name: 'b.1' }, involvedObject, message })
  tellIngresses({ record }, refused)
  return events
}

test('an Ingress hears by an Event of what Envoys refuse of its host, and of nothing else', () => {
  const { translations } = translate(readObjects(withIngress).changes)
  const told: unknown[] = []
  const tell = (name: string) => {
    const refused = translations.ofIngresses('scoped', { ...refusedScope, name })
    tellIngresses({ record: (about, event) => told.push([about, event]) }, refused)
  }
  tell('http/a.test')
  expect(told).toEqual([])
  tell('http/b.test')
  const content = 'scopes http/b.test of content ffffffffffffffff (scoped)'
  expect(told).toEqual([
    [
      { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'web', name: 'b', uid: 'u1' },
      {
        type: 'Warning',
        reason: 'EnvoyRefused',
        message: `Envoy refuses, and goes on with what it had: ${content}, by Envoy 1.40.0: no`,
      },
    ],
  ])
})

test('what Events told of an Ingress is withheld in each layout, while it is the same content of the same Ingress', async () => {
  const { changes } = readObjects(withIngress)
  const before = translate(changes)
  for (const layout of layouts) {
    if (layout !== 'scoped') await before.translations.want(layout, true)
    const snapshot = before.snapshots.get(layout)
    const [table] = [...(snapshot?.scopes.values() ?? []), ...(snapshot?.routes?.values() ?? [])].filter(
      ({ name }) => name === 'http/b.test' || name === 'ingress_http',
    )
    if (table === undefined) throw new Error(`no table in ${layout}`)
    const type = layout === 'scoped' ? 'scopes' : 'routes'
    const { name, version } = table
    const refused = { type, name, version, build: '1.40.0', message: 'no' } as const
    before.translations.refuse(layout, refused)
    const told = eventsOf(before.translations.standing()).flatMap((event) => refusedOf(event) ?? [])
    const recalled = async (known: readonly RefusedOfIngress[], now = changes) => {
      const { translations, withheld } = translate(now, known)
      if (layout !== 'scoped') await translations.want(layout, true)
      expect(translations.standing().map((one) => one.ingress)).toEqual(
        withheld.get(layout)?.map(() => 'web/b'),
      )
      return withheld.get(layout)
    }
    const other = (text: string, by: string) => readObjects(withIngress.replace(text, by)).changes
    expect(await recalled([...told, ...told])).toMatchObject([refused])
    expect(await recalled(told, other('uid: u1', 'uid: u2'))).toEqual([])
    expect(await recalled(told, other('path: /,', 'path: /other,'))).toEqual([])
    expect(await recalled(told, other('host: b.test', 'host: a.test'))).toEqual([])
    before.translations.clear(layout, refused)
    expect(before.translations.standing()).toEqual([])
  }
})

test('a layout that is made once more withholds what was refused in it, and nothing that is well again', async () => {
  const { translations, snapshots, withheld } = translate(readObjects(withIngress).changes)
  await translations.want('classic', true)
  const table = snapshots.get('classic')?.routes?.get('ingress_http')
  if (table === undefined) throw new Error('no table')
  const { name, version } = table
  const refused = { type: 'routes', name, version, build: '1.40.0', message: 'no' } as const
  const again = async () => {
    await translations.want('classic', false)
    await translations.want('classic', true)
    return withheld.get('classic')
  }
  translations.refuse('classic', refused)
  expect(await again()).toMatchObject([refused])
  translations.clear('classic', refused)
  expect(await again()).toEqual([])
})
