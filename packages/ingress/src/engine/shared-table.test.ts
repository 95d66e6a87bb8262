import { fromBinary } from '@bufbuild/protobuf'
import { RouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/route'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openAccess } from '../dag/access.ts'
import type { Cluster } from '../dag/cluster.ts'
import { noHostFilters } from '../dag/filters.ts'
import { plainEntry } from '../envoy/route-table.ts'
import type { Resource } from '../xds/resource.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
import { type Found, type Needs, SharedTable } from './shared-table.ts'

const hosts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const unavailable = 'status 503'

function entry(host: string, content: string) {
  const match = { path: { kind: 'prefix', value: '/' }, headers: [], query: [] } as const
  const action = { kind: 'respond', status: 200, body: content } as const
  return plainEntry(host, [{ match, action, owner: host, rule: '' }], noHostFilters, openAccess)
}

/** Host → what it answers. */
function contents({ bytes }: Resource): Readonly<Record<string, string>> {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, bytes)
  return Object.fromEntries(
    virtualHosts.map(({ name, routes }) => {
      const answer = routes[0]?.action
      if (answer?.case !== 'directResponse') throw new Error('no answer')
      const { status, body } = answer.value
      return [name, body?.specifier.case === 'inlineString' ? body.specifier.value : `status ${status}`]
    }),
  )
}

/** An Envoy that refuses what has `bad` in it. */
class Envoy {
  readonly found: string[] = []
  readonly released: string[] = []
  kept: readonly string[] = []
  holds: Resource | undefined
  asked = 0
  readonly #table: SharedTable

  constructor(table: SharedTable) {
    this.#table = table
  }

  /** Until there is nothing new, as a server does it: the same is not sent twice. */
  settle(): void {
    for (let served = this.#table.take(); served !== undefined; served = this.#table.take()) {
      const { table: next, released, kept } = served
      this.released.push(...released)
      this.kept = kept.flatMap(({ clusters }) => [...clusters.keys()])
      if (next.version === this.holds?.version) continue
      if (++this.asked > 2000) throw new Error('it does not come to rest')
      const isBad = Object.values(contents(next)).some((content) => content.startsWith('bad'))
      if (!isBad) this.holds = next
      const { version } = next
      this.#note(
        isBad
          ? this.#table.refused(refusalOf(next), this.holds?.version ?? '')
          : this.#table.taken(version, '1', () => false),
      )
    }
  }

  get contents() {
    return this.holds === undefined ? {} : contents(this.holds)
  }

  #note(found: Found): void {
    if (typeof found === 'object') this.found.push(found.name)
  }
}

function stand() {
  const table = new SharedTable('ingress_http', 'http', true)
  const envoy = new Envoy(table)
  const set = (host: string, content: string | undefined) =>
    table.set(host, content === undefined ? undefined : entry(host, content), needsOf(content))
  return { table, envoy, set }
}

/** A stand-in of the right name is enough: they are handed on as they are. */
function needsOf(content = ''): Needs {
  return { clusters: new Map([[`of ${content}`, {} as Cluster]]), secrets: [] }
}

function refusalOf({ name, version }: Pick<Resource, 'name' | 'version'>): RefusedContent {
  return { type: 'routes', name, version, build: '1', message: 'no' }
}

/** What an Envoy of the first build took, and the table that it is sent next. */
function underway(table: SharedTable): Resource {
  const served = table.take()
  if (served === undefined) throw new Error('nothing is served')
  return served.table
}

test('rule 41: of a hundred entries that come together the one at fault is found, and the others have their way', () => {
  const { envoy, set } = stand()
  set('host', 'good')
  envoy.settle()
  set('host', 'bad')
  for (let n = 0; n < 99; n++) set(`other-${n}`, 'here')
  envoy.settle()
  expect(envoy.found).toEqual(['http/host'])
  expect(envoy.contents['host']).toBe('good')
  expect(Object.values(envoy.contents).filter((content) => content === 'here')).toHaveLength(99)
  expect(envoy.asked).toBeLessThan(20)
  expect(envoy.kept).toEqual(['of good'])
  expect(envoy.released).toEqual([])
  set('host', 'mended')
  envoy.settle()
  expect(envoy.contents['host']).toBe('mended')
  expect(envoy.released).toEqual(['http/host'])
  expect(envoy.kept).toEqual([])
})

test('nothing is sought where it is not known what the Envoy holds', () => {
  const { table, set } = stand()
  set('a', 'bad')
  const refused = refusalOf(underway(table))
  expect(table.refused(refused, undefined)).toBeUndefined()
  expect(table.refused(refused, 'of another time')).toBeUndefined()
  expect(table.take()).toBeUndefined()
})

test('an Envoy that answers nothing more keeps nobody from what is new', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'bad')
  set('b', 'good')
  expect(table.refused(refusalOf(underway(table)), envoy.holds?.version)).toBe('sought')
  let last: Resource | undefined
  for (let n = 0; n < 200; n++) {
    set('c', `change ${n}`)
    last = table.take()?.table ?? last
  }
  expect(last && contents(last)).toEqual({ a: 'bad', b: 'good', c: 'change 199' })
})

test('what was refused as a whole comes as another table, or nobody would be asked again', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'bad')
  set('b', 'good')
  const all = underway(table)
  expect(table.refused(refusalOf(all), envoy.holds?.version)).toBe('sought')
  underway(table)
  for (let n = 0; n < 200; n++) set('b', 'good')
  const again = underway(table)
  expect(contents(again)).toEqual(contents(all))
  expect(again.version).not.toBe(all.version)
  expect(table.refused(refusalOf(again), envoy.holds?.version)).toBe('sought')
  expect(table.refused(refusalOf(underway(table)), envoy.holds?.version)).toMatchObject({ name: 'http/a' })
})

test('a host that is mended while it is sought is served, and not held to be at fault', () => {
  const { table, envoy, set } = stand()
  for (const host of ['a', 'b']) set(host, 'good')
  envoy.settle()
  set('a', 'new')
  set('b', 'bad')
  expect(table.refused(refusalOf(underway(table)), envoy.holds?.version)).toBe('sought')
  const tried = underway(table)
  expect(contents(tried)).toEqual({ a: 'new', b: 'good' })
  set('b', 'mended')
  expect(table.taken(underway(table).version, '1', () => false)).toBe('sought')
  envoy.settle()
  expect(envoy.contents).toEqual({ a: 'new', b: 'mended' })
  expect(envoy.found).toEqual([])
})

test('what goes back before it is refused is not held to be at fault', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'bad')
  const refused = refusalOf(underway(table))
  set('a', 'good')
  expect(table.refused(refused, envoy.holds?.version)).toBe('sought')
  expect(contents(underway(table))).toEqual({ a: 'good' })
})

test('only Envoys of the build that refused tell who is at fault', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'bad')
  set('b', 'good')
  expect(table.refused(refusalOf(underway(table)), envoy.holds?.version)).toBe('sought')
  const tried = underway(table)
  expect(table.taken(tried.version, '2', () => false)).toBeUndefined()
  expect(table.take()).toBeUndefined()
  expect(table.refused(refusalOf(tried), envoy.holds?.version)).toMatchObject({ name: 'http/a' })
})

test('when those that refused are gone, the others tell', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'other')
  set('b', 'good')
  expect(table.refused(refusalOf(underway(table)), envoy.holds?.version)).toBe('sought')
  expect(table.taken(underway(table).version, '2', () => true)).toMatchObject({ name: 'http/b' })
})

test('a good host is not blamed for one that was mended while it was sought', () => {
  const { table, envoy, set } = stand()
  for (const host of ['a', 'b', 'c', 'd']) set(host, 'good')
  envoy.settle()
  for (const host of ['a', 'b', 'd']) set(host, 'new')
  set('c', 'bad')
  expect(table.refused(refusalOf(underway(table)), envoy.holds?.version)).toBe('sought')
  set('c', 'mended')
  const tried = underway(table)
  expect(contents(tried)).toEqual({ a: 'new', b: 'new', c: 'good', d: 'good' })
  expect(table.taken(tried.version, '1', () => false)).toBe('sought')
  expect(contents(underway(table))).toEqual({ a: 'new', b: 'new', c: 'mended', d: 'new' })
})

test('what stands in is not blamed on another, and 503 stands in for it where it is refused itself', () => {
  const { table, envoy, set } = stand()
  set('a', 'old')
  envoy.settle()
  set('a', 'bad')
  envoy.settle()
  expect(envoy.contents).toEqual({ a: 'old' })
  set('c', 'new')
  const all = underway(table)
  const of2 = (one: Resource) => ({ ...refusalOf(one), build: '2' })
  // Another build takes neither the old content of a.
  expect(table.refused(of2(all), undefined)).toBeUndefined()
  const fresh = new SharedTable('ingress_http', 'http', true)
  fresh.set('a', entry('a', 'old'), needsOf())
  expect(fresh.refused(of2(underway(fresh)), '')).toMatchObject({ name: 'http/a' })
  expect(contents(underway(fresh))).toEqual({ a: unavailable })
})

test('hosts that need a refused cluster stay as they were until it is well, and hold up nobody', () => {
  const { table, envoy } = stand()
  const needing = (host: string, content: string, ...clusters: string[]) =>
    table.set(host, { ...entry(host, content), clusters }, needsOf(content))
  needing('a', 'first', 'old')
  needing('b', 'first', 'other')
  envoy.settle()
  needing('a', 'second', 'new')
  needing('b', 'second', 'other')
  needing('c', 'second', 'new')
  expect([table.without('unheard'), table.without('old')]).toEqual([false, false])
  expect(table.without('new')).toBe(true)
  envoy.settle()
  expect(envoy.contents).toEqual({ a: 'first', b: 'second', c: unavailable })
  expect(envoy.kept).toContain('of first')
  expect(table.with('new')).toBe(true)
  envoy.settle()
  expect(envoy.contents).toEqual({ a: 'second', b: 'second', c: 'second' })
})

test('an Envoy that starts and refuses takes nothing from those that hold more', () => {
  const { table, envoy, set } = stand()
  for (const host of hosts) set(host, 'good')
  envoy.settle()
  set('h', 'bad')
  set('i', 'good')
  expect(table.refused(refusalOf(underway(table)), undefined)).toBe('sought')
  expect(Object.keys(contents(underway(table)))).toEqual(expect.arrayContaining(hosts))
})

test('what is known to be refused is withheld from the start, and 503 stands in', () => {
  const { table, envoy, set } = stand()
  set('a', 'bad')
  set('b', 'good')
  const known = { name: 'http/a', version: table.version('http/a') ?? '' }
  expect(table.withhold({ ...known, version: 'other' })).toBe(false)
  expect(table.withhold(known)).toBe(true)
  expect(table.withhold(known)).toBe(false)
  expect([
    table.withhold({ ...known, name: 'http/c' }),
    table.withhold({ ...known, name: 'https/b' }),
  ]).toEqual([false, false])
  envoy.settle()
  expect(envoy.contents).toEqual({ a: unavailable, b: 'good' })
  const other = new SharedTable('ingress_http', 'http', true)
  other.adopt(table)
  other.set('a', entry('a', 'bad'), needsOf())
  expect(contents(underway(other))).toEqual({ a: unavailable })
})

test('whatever comes, each host has what it wants if that is good, and else what was good of it', () => {
  const change = fc.record({
    host: fc.constantFrom(...hosts),
    content: fc.constantFrom(undefined, 'good 1', 'good 2', 'good 3', 'bad 1', 'bad 2'),
  })
  const batches = fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 12 })
  fc.assert(
    fc.property(batches, (all) => {
      const { envoy, set } = stand()
      const wanted = new Map<string, string>()
      const served = new Map<string, string>()
      for (const batch of all) {
        for (const { host, content } of batch) {
          set(host, content)
          if (content === undefined) wanted.delete(host)
          else wanted.set(host, content)
        }
        envoy.settle()
        for (const host of hosts) {
          const content = wanted.get(host)
          if (content === undefined) served.delete(host)
          else if (content.startsWith('good')) served.set(host, content)
          else served.set(host, served.get(host) ?? unavailable)
        }
        expect(envoy.contents).toEqual(Object.fromEntries(served))
      }
    }),
  )
})

interface Member {
  holds?: Resource
  flight?: Resource | undefined
}

/** Envoys of one build that answer when they like. What was refused is sent to none of them until the newest is taken. */
class Fleet {
  readonly members: readonly Member[] = [{}, {}]
  readonly #table = new SharedTable('ingress_http', 'http', true)
  readonly #refused = new Set<string>()
  #newest = underway(this.#table)

  set(host: string, content: string | undefined): void {
    this.#table.set(host, content === undefined ? undefined : entry(host, content), needsOf(content))
    this.#publish()
  }

  /** Sends, or answers what was sent. @returns whether there was anything to do */
  step(member: Member): boolean {
    const { flight, holds } = member
    if (flight === undefined) {
      if (holds?.version === this.#newest.version || this.#refused.has(this.#newest.version)) return false
      member.flight = this.#newest
      return true
    }
    member.flight = undefined
    if (Object.values(contents(flight)).some((content) => content.startsWith('bad'))) {
      const isNews = !this.#refused.has(flight.version)
      this.#refused.add(flight.version)
      const none = this.members.every((one) => one.holds === undefined) ? '' : undefined
      if (isNews) this.#table.refused(refusalOf(flight), holds?.version ?? none)
    } else {
      member.holds = flight
      if (flight.version === this.#newest.version) this.#refused.clear()
      this.#table.taken(flight.version, '1', () => true)
    }
    this.#publish()
    return true
  }

  #publish(): void {
    this.#newest = this.#table.take()?.table ?? this.#newest
    if (this.members.some(({ holds }) => holds?.version === this.#newest.version)) this.#refused.clear()
  }
}

test('whenever Envoys answer, all of them have in the end what is good of each host, and of the others what is not bad', () => {
  const content = fc.constantFrom(undefined, 'good 1', 'good 2', 'bad 1', 'bad 2')
  const change = fc.record({ host: fc.constantFrom(...hosts), content })
  const act = fc.oneof(change, fc.constantFrom(0, 1))
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const fleet = new Fleet()
      const wanted = new Map<string, string | undefined>()
      for (const one of acts) {
        if (typeof one === 'number') fleet.step(fleet.members[one] ?? {})
        else {
          fleet.set(one.host, one.content)
          wanted.set(one.host, one.content)
        }
      }
      let steps = 0
      while (fleet.members.filter((member) => fleet.step(member)).length > 0)
        if (++steps > 500) throw new Error('they do not come to rest')
      for (const { holds } of fleet.members) {
        const held = holds === undefined ? {} : contents(holds)
        for (const host of hosts) {
          const want = wanted.get(host)
          const other: unknown = expect.stringMatching(/^good|^status 503/)
          expect(held[host]).toEqual(want?.startsWith('bad') ? other : want)
        }
      }
    }),
    { numRuns: 500 },
  )
})
