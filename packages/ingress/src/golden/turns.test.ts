import { setImmediate as turn } from 'node:timers/promises'
import type { Key } from '@landfall/kube/model'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions, type EngineOptions } from '../engine/engine-options.ts'
import { type Change, emptyWorld, type SliceChange, take } from '../model/objects.ts'
import { Translations } from '../serve/translations.ts'
import type { Layout } from '../xds/layout.ts'
import { resourceTypes } from '../xds/resource.ts'
import { ResourceStore } from '../xds/session/store.ts'
import { changeOf, dag, everything, names, objects, slice, step, verdicts } from './random-history.ts'

const usual: EngineOptions = { ...defaultEngineOptions, dag }
const options: readonly EngineOptions[] = [
  usual,
  { ...usual, dag: { ...dag, enableExternalNameService: false } },
  { ...usual, classes: ['other'] },
]

/** As `serve` is with its translations: the world shows what they are told, and of slices all is known. */
class Stand {
  readonly world = emptyWorld()
  readonly slices = new Map<Key, SliceChange>()
  /** What Envoys of each layout that is wanted hold; undefined before there is something. */
  readonly held = new Map<Layout, ResourceStore | undefined>([['scoped', undefined]])
  /** What is under way. */
  readonly pending: Promise<void>[] = []
  readonly told: string[] = []
  readonly translations: Translations
  options = usual

  /** @param size hosts of a part */
  constructor(size = 1) {
    this.translations = new Translations(
      this.world,
      () => this.slices.values(),
      usual,
      {
        whole: (layout, snapshot) => {
          this.told.push(`${layout} whole`)
          if (!this.held.has(layout)) throw new Error(`nobody wants ${layout}`)
          const store = this.held.get(layout) ?? new ResourceStore()
          store.replace(snapshot)
          this.held.set(layout, store)
        },
        change: (layout, change) => {
          const changed = this.held.get(layout)?.apply(change)
          if (changed === undefined) throw new Error(`${layout} was not published`)
          if (Object.keys(changed).length > 0) this.told.push(`${layout} change`)
        },
        foreseen: () => {},
      },
      size,
    )
  }

  take(changes: readonly Change[]): this {
    for (const change of changes) take(this.world, change)
    return this
  }

  apply(changes: readonly Change[]): void {
    this.translations.apply(changes)
    this.translations.publish()
  }

  applySlice(written: SliceChange, deleted: boolean): void {
    const { key } = written
    const change = {
      ...written,
      before: this.slices.get(key)?.after,
      ...(deleted ? { after: undefined } : {}),
    }
    if (deleted) this.slices.delete(key)
    else this.slices.set(key, written)
    this.translations.applySlices([change])
    if (this.held.get('scoped') !== undefined) this.translations.publish()
  }

  want(layout: Layout, wanted: boolean): void {
    if (wanted) this.held.set(layout, undefined)
    else this.held.delete(layout)
    this.pending.push(this.translations.want(layout, wanted))
  }

  configure(changed: EngineOptions): void {
    this.options = changed
    this.pending.push(this.translations.configure(changed))
  }

  /** What was published, and what a new engine says of the world as it is. */
  compare() {
    const all = everything(this.world)
    const engines = [...this.held.keys()].map((layout) => {
      const engine = new Engine(this.world, { ...this.options, layout })
      engine.applySlices([...this.slices.values()])
      engine.apply(all)
      return [layout, engine] as const
    })
    const fresh = engines.map(([layout, engine]) => {
      const store = new ResourceStore()
      store.replace(engine.snapshot())
      return [layout, contentOf(store)]
    })
    const scoped = engines[0]?.[1]
    return {
      published: [...this.held].map(([layout, store]) => [layout, store && contentOf(store)]),
      verdicts: verdicts(this.translations.scoped, all),
      fresh: { published: fresh, verdicts: scoped && verdicts(scoped, all) },
    }
  }
}

function contentOf(store: ResourceStore): readonly string[] {
  return resourceTypes.flatMap((type) =>
    [...store.all(type).values()].map(({ name, version }) => `${type} ${name} ${version}`).toSorted(),
  )
}

type Step = (stand: Stand) => void

const written = fc.record({ object: objects, deleted: fc.boolean(), age: fc.integer({ min: 1, max: 3 }) })
const changing = fc.array(written, { minLength: 1, maxLength: 3 }).map(
  (list): Step =>
    (stand) => {
      const changes = list.map(({ object, deleted, age }) => {
        const change = step(stand.world, changeOf(object, age), deleted)
        stand.take([change])
        return change
      })
      stand.apply(changes)
    },
)
const slicing = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom('10.0.0.1', '10.0.0.2'), fc.boolean())
  .map(
    ([service, address, deleted]): Step =>
      (stand) =>
        stand.applySlice(slice(service, [address]), deleted),
  )
const wanting = fc.constantFrom<Layout[]>('classic', 'classic-streams').map(
  (layout): Step =>
    (stand) =>
      stand.want(layout, !stand.held.has(layout)),
)
const configuring = fc.constantFrom(...options).map(
  (one): Step =>
    (stand) =>
      stand.configure(one),
)
const others = fc.oneof(slicing, wanting, configuring)
const any = fc.oneof({ weight: 2, arbitrary: changing }, slicing, others)

test('whatever happens while a layout is made, what is published of it is what a new engine makes of the world', async () => {
  let between = 0
  const property = fc.asyncProperty(
    fc.array(written, { maxLength: 15 }),
    fc.array(others, { maxLength: 4 }),
    fc.array(fc.tuple(any, fc.integer({ min: 0, max: 3 })), { maxLength: 12 }),
    async (start, early, later) => {
      const changes = start.map(({ object, age }) => changeOf(object, age))
      const stand = new Stand()
      early[0]?.(stand)
      for (let n = 0; n < 3; n++) await turn()
      stand.take(changes)
      let index = 1
      for await (const judged of stand.translations.begin(everything(stand.world), 1)) {
        expect(judged).toBeInstanceOf(Set)
        early[index++]?.(stand)
      }
      stand.translations.publish()
      for (const [act, turns] of later) {
        act(stand)
        for (let n = 0; n < turns; n++) await turn()
        between += [...stand.held.values()].filter((store) => store === undefined).length
      }
      await Promise.all(stand.pending)
      const { fresh, ...is } = stand.compare()
      expect(is).toEqual(fresh)
    },
  )
  await fc.assert(property, { numRuns: 200 })
  expect(between).toBeGreaterThan(100)
})

function hostsOf(count: number): readonly Change[] {
  const service = changeOf({ kind: 'Service', name: 'a', spec: { ports: [{ port: 80 }] } }, 1)
  return [service, ...Array.from({ length: count }, (_, index) => hostOf(index, '/'))]
}

function hostOf(index: number, prefix: string): Change {
  const routes = [{ conditions: [{ prefix }], services: [{ name: 'a', port: 80 }] }]
  const spec = { virtualhost: { fqdn: `h${index}.test` }, routes }
  return changeOf({ kind: 'HTTPProxy', name: `h${index}`, spec }, 1)
}

function begun(changes: readonly Change[], size: number): Stand {
  const stand = new Stand(size).take(changes)
  stand.apply(changes)
  stand.told.length = 0
  return stand
}

/** Turns of the event loop until it is done. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  const ended = work.then(() => true)
  let turns = 0
  while (!(await Promise.race([ended, turn(false)]))) turns += 1
  return turns
}

test('the event loop turns between the parts of a layout, and of a new configuration', async () => {
  const stand = begun(hostsOf(20), 2)
  stand.held.set('classic', undefined)
  expect(await turnsOf(stand.translations.want('classic', true))).toBeGreaterThanOrEqual(10)
  expect(await turnsOf(stand.translations.configure(usual))).toBeGreaterThanOrEqual(20)
  expect(stand.told).toEqual(['classic whole', 'scoped whole', 'classic whole'])
})

test('changes are published to the others while a layout is made', async () => {
  const stand = begun(hostsOf(20), 2)
  stand.want('classic', true)
  for (const index of [1, 19]) {
    await turn()
    const changed = step(stand.world, hostOf(index, '/x'), false)
    stand.take([changed]).apply([changed])
    stand.applySlice(slice('a', [`10.0.0.${index}`]), false)
  }
  await Promise.all(stand.pending)
  expect(stand.told).toEqual([...Array.from({ length: 4 }, () => 'scoped change'), 'classic whole'])
  const { fresh, ...is } = stand.compare()
  expect(is).toEqual(fresh)
})

test('nothing more is made of a layout that nobody wants any more, nor after the end', async () => {
  const stand = begun(hostsOf(20), 2)
  stand.want('classic', true)
  await turn()
  stand.want('classic', false)
  expect(await turnsOf(Promise.all(stand.pending))).toBeLessThan(4)
  stand.want('classic', true)
  stand.configure(usual)
  await turn()
  stand.translations.stop()
  expect(await turnsOf(Promise.all(stand.pending))).toBeLessThan(6)
  expect(stand.told).toEqual([])
})

test('what Envoys refuse while all is made anew is known after it', async () => {
  const stand = begun(hostsOf(4), 1)
  stand.configure({ ...usual, classes: [] })
  await turn()
  const refused = {
    type: 'scopes' as const,
    name: 'http/h1.test',
    version: '1',
    build: '1.40.0',
    message: 'no',
  }
  expect(stand.translations.refuse('scoped', refused)).toEqual(['d/h1'])
  await Promise.all(stand.pending)
  expect(stand.translations.refusals('h1.test', 'd/h1', [])).toMatchObject([refused])
})
