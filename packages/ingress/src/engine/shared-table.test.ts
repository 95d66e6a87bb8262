import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Resource } from '../xds/resource.ts'
import { type Found, SharedTable } from './shared-table.ts'
import {
  contents,
  entry,
  hosts,
  needsOf,
  refusalOf,
  takenBy,
  unavailable,
  underway,
} from './shared-table-script.ts'

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
      this.#note(
        isBad
          ? this.#table.refused(refusalOf(next, this.holds?.version ?? ''))
          : this.#table.taken(takenBy('1', next)),
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
  const served = underway(table)
  expect(table.refused(refusalOf(served, undefined))).toBeUndefined()
  expect(table.refused(refusalOf(served, 'of another time'))).toBeUndefined()
  expect(table.take()).toBeUndefined()
})

test('an Envoy that answers nothing more keeps nobody from what is new', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'bad')
  set('b', 'good')
  expect(table.refused(refusalOf(underway(table), envoy.holds?.version))).toBe('sought')
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
  expect(table.refused(refusalOf(all, envoy.holds?.version))).toBe('sought')
  underway(table)
  for (let n = 0; n < 200; n++) set('b', 'good')
  const again = underway(table)
  expect(contents(again)).toEqual(contents(all))
  expect(again.version).not.toBe(all.version)
  expect(table.refused(refusalOf(again, envoy.holds?.version))).toBe('sought')
  expect(table.refused(refusalOf(underway(table), envoy.holds?.version))).toMatchObject({ name: 'http/a' })
})

test('a host that is mended while it is sought is served, and not held to be at fault', () => {
  const { table, envoy, set } = stand()
  for (const host of ['a', 'b']) set(host, 'good')
  envoy.settle()
  set('a', 'new')
  set('b', 'bad')
  expect(table.refused(refusalOf(underway(table), envoy.holds?.version))).toBe('sought')
  const tried = underway(table)
  expect(contents(tried)).toEqual({ a: 'new', b: 'good' })
  set('b', 'mended')
  expect(table.taken(takenBy('1', underway(table)))).toBe('sought')
  envoy.settle()
  expect(envoy.contents).toEqual({ a: 'new', b: 'mended' })
  expect(envoy.found).toEqual([])
})

test('what goes back before it is refused is not held to be at fault', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'bad')
  const served = underway(table)
  set('a', 'good')
  expect(table.refused(refusalOf(served, envoy.holds?.version))).toBe('sought')
  expect(contents(underway(table))).toEqual({ a: 'good' })
})

test('only Envoys of the build that refused tell who is at fault', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'bad')
  set('b', 'good')
  expect(table.refused(refusalOf(underway(table), envoy.holds?.version))).toBe('sought')
  const tried = underway(table)
  expect(table.taken(takenBy('2', tried))).toBeUndefined()
  expect(table.take()).toBeUndefined()
  expect(table.refused(refusalOf(tried, envoy.holds?.version))).toMatchObject({ name: 'http/a' })
})

test('when those that refused are gone, all is asked of the others', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  envoy.settle()
  set('a', 'other')
  set('b', 'good')
  expect(table.refused(refusalOf(underway(table), envoy.holds?.version))).toBe('sought')
  expect(table.taken(takenBy('2', underway(table), true))).toBe('sought')
  expect(contents(underway(table))).toEqual({ a: 'other', b: 'good' })
})

test('what is withheld is asked of Envoys of another build, once there are no others', () => {
  const { table, envoy, set } = stand()
  set('a', 'good')
  set('b', 'old')
  envoy.settle()
  set('a', 'bad')
  envoy.settle()
  set('b', 'new')
  const held = underway(table)
  expect(contents(held)).toEqual({ a: 'good', b: 'new' })
  expect(table.taken(takenBy('1', held, true))).toBeUndefined()
  expect(table.taken(takenBy('2', held))).toBeUndefined()
  expect(table.take()).toBeUndefined()
  expect(table.taken(takenBy('2', held, true))).toBe('sought')
  const served = table.take()
  expect(served?.released).toEqual(['http/a'])
  expect(served && contents(served.table)).toEqual({ a: 'bad', b: 'new' })
  const refused = { ...refusalOf(served?.table ?? held, held.version), build: '2' }
  expect(table.refused(refused)).toMatchObject({ name: 'http/a', build: '2' })
  const last = underway(table)
  expect(contents(last)).toEqual({ a: 'good', b: 'new' })
  expect(table.taken(takenBy('2', last, true))).toBeUndefined()
})

test('a good host is not blamed for one that was mended while it was sought', () => {
  const { table, envoy, set } = stand()
  for (const host of ['a', 'b', 'c', 'd']) set(host, 'good')
  envoy.settle()
  for (const host of ['a', 'b', 'd']) set(host, 'new')
  set('c', 'bad')
  expect(table.refused(refusalOf(underway(table), envoy.holds?.version))).toBe('sought')
  set('c', 'mended')
  const tried = underway(table)
  expect(contents(tried)).toEqual({ a: 'new', b: 'new', c: 'good', d: 'good' })
  expect(table.taken(takenBy('1', tried))).toBe('sought')
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
  const of2 = (one: Resource, holds?: string) => ({ ...refusalOf(one, holds), build: '2' })
  // Another build takes neither the old content of a.
  expect(table.refused(of2(all))).toBeUndefined()
  const fresh = new SharedTable('ingress_http', 'http', true)
  fresh.set('a', entry('a', 'old'), needsOf())
  expect(fresh.refused(of2(underway(fresh), ''))).toMatchObject({ name: 'http/a' })
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
  expect(table.refused(refusalOf(underway(table), undefined))).toBe('sought')
  expect(Object.keys(contents(underway(table)))).toEqual(expect.arrayContaining(hosts))
})

test('what is known to be refused is withheld from the start, and 503 stands in', () => {
  const { table, envoy, set } = stand()
  set('a', 'bad')
  set('b', 'good')
  const known = { name: 'http/a', version: table.version('http/a') ?? '', build: '1' }
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
