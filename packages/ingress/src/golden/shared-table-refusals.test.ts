/** An Envoy that refuses a table of many hosts, from objects to what it holds: the engine and the sessions together. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { Translations } from '../serve/translations.ts'
import { refusedCondition } from '../status/programmed-condition.ts'
import type { Resource } from '../xds/resource.ts'
import type { Client } from '../xds/session/client.ts'
import { Hub } from '../xds/session/hub.ts'
import { readObjects } from './objects.ts'
import { pem, secretObject } from './traffic.ts'

const layout = 'classic'
const name = 'ingress_http'
const asked = { unsubscribe: [], initialVersions: new Map<string, string>() }

const services = ['old', 'new', 'other', 'poisoned'].map(
  (service) => `
apiVersion: v1
kind: Service
metadata: {name: ${service}, namespace: web}
spec: {ports: [{name: http, port: 80}]}
`,
)
const proxy = (host: string, service: string, path = '/', status?: object) => `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: ${host}, namespace: web, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z'}
spec:
  virtualhost: {fqdn: ${host}.test}
  routes: [{conditions: [{prefix: ${path}}], services: [{name: ${service}, port: 80}]}]
status: ${JSON.stringify(status ?? {})}
`

/** An Envoy that refuses tables with POISON in them, and all that stands between it and the objects. */
class Site {
  readonly found: string[] = []
  /** Clusters that the Envoy's table named, at any time, and it had not. */
  readonly lacking: string[] = []
  readonly translations: Translations
  readonly #world = emptyWorld()
  readonly #hub: Hub
  #client: Client
  #takesAll = false

  private constructor(build: string) {
    this.#hub = new Hub({
      onRefused: (refused) => this.#refuse(this.translations.narrow(layout, refused)),
      onCleared: (resource) => void this.translations.clear(layout, resource),
      onTable: (table) => this.#refuse(this.translations.taken(layout, table)),
    })
    this.translations = new Translations(this.#world, () => [], defaultEngineOptions, {
      whole: (of, snapshot, refused) => {
        if (of !== layout) return
        this.#hub.publish(snapshot)
        this.#hub.recall(refused)
      },
      change: (of, change) => {
        if (of === layout) this.#hub.apply(change)
      },
      foreseen: () => {},
    })
    this.#client = this.#hub.connect({ id: 'envoy', build })
  }

  static async start(documents: readonly string[]): Promise<Site> {
    const site = new Site('1.31.0')
    const { changes } = readObjects(documents.join('---\n'))
    for (const change of changes) take(site.#world, change)
    site.translations.apply(changes)
    site.translations.publish()
    await site.translations.want(layout, true)
    await site.#subscribe()
    return site
  }

  async #subscribe(): Promise<void> {
    this.#client.request('clusters', { ...asked, subscribe: ['*'] })
    this.#client.request('routes', { ...asked, subscribe: [name] })
    await this.settle()
  }

  /** An Envoy of another build, which takes all, comes beside the first. @returns that lets the first go */
  async upgrade(): Promise<() => Promise<void>> {
    const before = this.#client
    this.#client = this.#hub.connect({ id: 'newer', build: '1.32.0' })
    this.#takesAll = true
    await this.#subscribe()
    return async () => {
      this.#hub.disconnect(before)
      this.#hub.left(before.node.build)
      await this.settle()
    }
  }

  async change(...documents: readonly string[]): Promise<void> {
    const { changes } = readObjects(documents.join('---\n'))
    const now = changes.map((one) => ({ ...one, before: this.#world[one.kind].get(one.key) }) as Change)
    for (const change of now) take(this.#world, change)
    this.translations.apply(now)
    this.translations.publish()
    await this.settle()
  }

  async settle(): Promise<void> {
    for (let idle = 0; idle < 3; await turn()) {
      const outgoing = this.#client.next(0)
      idle = outgoing.length === 0 ? idle + 1 : 0
      for (const { type, nonce, resources } of outgoing) {
        const isBad =
          (type === 'routes' && resources.some((one) => textOf(one).includes('POISON'))) ||
          (type === 'clusters' && resources.some((one) => one.name.startsWith('web/poisoned/')))
        this.#hub.settle(this.#client, type, nonce, isBad && !this.#takesAll ? 'no POISON' : undefined)
        for (const needed of ['endpoints', 'secrets'] as const) {
          const subscribe =
            type === 'clusters' ? resources.flatMap((one) => one.references?.[needed] ?? []) : []
          if (subscribe.length > 0) this.#client.request(needed, { ...asked, subscribe })
        }
        for (const cluster of this.#table?.references?.clusters ?? [])
          if (!this.#client.subscriptions.clusters.held.has(cluster)) this.lacking.push(cluster)
      }
    }
  }

  get text(): string {
    return this.#table === undefined ? '' : textOf(this.#table)
  }

  /** Services of whose clusters it has one. */
  get services(): readonly string[] {
    return [...this.#client.subscriptions.clusters.held.keys()]
      .map((one) => one.split('/')[1] ?? '')
      .toSorted()
  }

  /** Version of what is served by the name. */
  secret(of: string): string | undefined {
    return this.#hub.store.get('secrets', of)?.version
  }

  said(host: string): readonly string[] {
    return this.translations
      .refusals(`${host}.test`, `web/${host}`, [])
      .map((one) => `${one.name}: ${one.message}`)
  }

  get #table(): Resource | undefined {
    return this.#client.subscriptions.routes.held.get(name) as Resource | undefined
  }

  #refuse(found: Parameters<Translations['refuse']>[1] | undefined): void {
    if (found === undefined) return
    this.found.push(found.name)
    this.translations.refuse(layout, found)
  }
}

function textOf({ bytes }: Resource): string {
  return Buffer.from(bytes).toString('latin1')
}

test('of hosts in one table that change together the one at fault stays as it was, and the others change', async () => {
  const site = await Site.start([...services, proxy('a', 'old'), proxy('b', 'old'), proxy('c', 'other')])
  expect(site.services).toEqual(['old', 'other'])
  await site.change(proxy('b', 'new', '/POISON'), proxy('a', 'new', '/moved'), proxy('d', 'other', '/come'))
  expect(site.found).toEqual(['http/b.test'])
  expect(site.text).toMatch(/moved.*b\.test.*come/s)
  expect(site.services).toEqual(['new', 'old', 'other'])
  expect(site.said('b')).toEqual(['http/b.test: no POISON'])
  expect([site.said('a'), site.said('c'), site.said('d')]).toEqual([[], [], []])

  await site.change(proxy('c', 'other', '/later'))
  expect(site.text).toMatch(/moved.*b\.test.*later.*come/s)
  expect(site.found).toHaveLength(1)

  await site.change(proxy('b', 'new', '/mended'))
  expect(site.text).toMatch(/moved.*mended/s)
  expect(site.services).toEqual(['new', 'other'])
  expect(site.said('b')).toEqual([])
  expect(site.lacking).toEqual([])
})

test('two at fault are found one after the other, and a host that never was good answers 503', async () => {
  const site = await Site.start([...services, proxy('a', 'old')])
  await site.change(proxy('b', 'new', '/POISON'), proxy('a', 'old', '/POISON'), proxy('c', 'other', '/come'))
  expect(new Set(site.found)).toEqual(new Set(['http/a.test', 'http/b.test']))
  expect(site.text).toMatch(/a\.test.*b\.test.*refused.*come/s)
  expect([site.said('a'), site.said('b'), site.said('c')].map(({ length }) => length)).toEqual([1, 1, 0])
  expect(site.lacking).toEqual([])
})

test('an Envoy that starts has all hosts but the one at fault', async () => {
  const site = await Site.start([
    ...services,
    proxy('a', 'old', '/POISON'),
    proxy('b', 'old'),
    proxy('c', 'new'),
  ])
  expect(site.found).toEqual(['http/a.test'])
  expect(site.text).toMatch(/a\.test.*refused.*b\.test.*c\.test/s)
  expect([site.said('a'), site.said('b')].map(({ length }) => length)).toEqual([1, 0])
})

test('a replica that starts withholds what the status of one host says, and from nobody else anything', async () => {
  const documents = [...services, proxy('a', 'old'), proxy('b', 'old')]
  const before = await Site.start(documents)
  await before.change(proxy('b', 'new', '/POISON'))
  const told = before.translations.refusals('b.test', 'web/b', [])
  const condition = refusedCondition(undefined, 'b.test', told, 1, '2026-01-01T00:00:00Z')
  const site = await Site.start([
    ...services,
    proxy('a', 'new', '/moved'),
    proxy('b', 'new', '/POISON', { conditions: [condition] }),
  ])
  expect(site.found).toEqual([])
  expect(site.text).toMatch(/moved.*b\.test.*refused/s)
  expect(site.said('b')).toEqual(['http/b.test: no POISON'])
})

test.each([
  ['entry', 'new', '/POISON'],
  ['cluster', 'poisoned', '/second'],
])('the %s that Envoys of one build refused is asked of another when they have gone', async (...change) => {
  const [, service, path] = change
  const site = await Site.start([...services, proxy('a', 'old'), proxy('b', 'other')])
  await site.change(proxy('a', service, path))
  expect(site.found).toHaveLength(1)
  const leave = await site.upgrade()
  expect(site.text).not.toContain(path)
  expect(site.said('a')).toHaveLength(1)
  await leave()
  expect(site.text).toContain(path)
  expect(site.said('a')).toEqual([])
  expect(site.services).toEqual([service, 'other'].toSorted())
  expect(site.lacking).toEqual([])
})

test('what is withheld stays so when all is translated anew', async () => {
  const site = await Site.start([...services, proxy('a', 'old'), proxy('b', 'old')])
  await site.change(proxy('b', 'new', '/POISON'), proxy('a', 'new', '/moved'))
  await site.translations.configure({ ...defaultEngineOptions })
  await site.settle()
  expect(site.found).toEqual(['http/b.test'])
  expect(site.text).toMatch(/moved.*b\.test/s)
  expect(site.services).toEqual(['new', 'old'])
  expect(site.said('b')).toEqual(['http/b.test: no POISON'])
})

test('what is served of a host at fault keeps the authority of its backends, and no other from being replaced', async () => {
  const trusting = (path: string) =>
    proxy('a', 'old', path).replace(
      'port: 80}',
      'port: 80, protocol: tls, validation: {caSecret: ca, subjectName: backend.test}}',
    )
  const authority = (file: string) => secretObject('ca', { 'ca.crt': pem(file) }).replace('---', '')
  const name = 'web/ca/ca.crt'
  const site = await Site.start([...services, authority('ca.pem'), trusting('/')])
  const first = site.secret(name)
  expect(first).toBeDefined()
  await site.change(trusting('/POISON'))
  expect(site.found).toEqual(['http/a.test'])
  await site.change(authority('other-ca.pem'))
  const second = site.secret(name)
  expect([first, undefined]).not.toContain(second)
  await site.change(proxy('a', 'new', '/POISON'))
  expect(site.secret(name)).toBeDefined()
})

test('a host with a cluster that is refused stays as it was, and holds up none of the others', async () => {
  const site = await Site.start([...services, proxy('a', 'old'), proxy('b', 'old')])
  await site.change(proxy('a', 'poisoned', '/second'), proxy('b', 'new', '/second'), proxy('c', 'poisoned'))
  expect(site.found).toEqual([expect.stringMatching('^web/poisoned/')])
  expect(site.text).toMatch(/a\.test.*web\/old.*b\.test.*second.*c\.test.*refused/s)
  expect(site.text).not.toContain('poisoned')
  expect(site.services).toEqual(['new', 'old'])
  expect([site.said('a'), site.said('b'), site.said('c')].map(({ length }) => length)).toEqual([1, 0, 1])
  await site.change(proxy('a', 'other', '/mended'))
  expect(site.text).toMatch(/a\.test.*mended.*b\.test.*c\.test.*refused/s)
  expect(site.lacking).toEqual([])
})
