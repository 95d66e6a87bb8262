/**
 * The translation of the world into each layout that some Envoy follows. `scoped` is always there, and its verdicts
 * are those that status tells; another is made from the whole world when its first Envoy comes, and dropped after its
 * last has gone.
 */
import type { Key } from '@landfall/kube/model'
import { Engine, type EngineOptions } from '../engine/engine.ts'
import type { ResourceName } from '../engine/refusals.ts'
import type { Change, SliceChange, World } from '../model/objects.ts'
import type { Layout } from '../xds/layout.ts'
import type { Snapshot } from '../xds/resource.ts'
import type { Change as ResourceChange } from '../xds/session/store.ts'

/** Where what is translated goes. */
export interface Published {
  readonly whole: (layout: Layout, snapshot: Snapshot) => void
  readonly change: (layout: Layout, change: ResourceChange) => void
}

export class Translations {
  readonly #engines = new Map<Layout, Engine>()
  /** Layouts that were published whole. */
  readonly #told = new Set<Layout>()
  readonly #world: World
  readonly #slices: () => Iterable<SliceChange>
  #scoped: Engine
  #options: EngineOptions
  readonly #published: Published

  /** @param slices all there are, each as one that came */
  constructor(
    world: World,
    slices: () => Iterable<SliceChange>,
    options: EngineOptions,
    published: Published,
  ) {
    this.#world = world
    this.#slices = slices
    this.#options = options
    this.#published = published
    this.#scoped = new Engine(world, options)
    this.#engines.set('scoped', this.#scoped)
  }

  get scoped(): Engine {
    return this.#scoped
  }

  /** Translates everything anew; an Envoy is sent what came out differently. */
  configure(options: EngineOptions): void {
    this.#options = options
    for (const [layout, before] of this.#engines) {
      const engine = this.#make(layout)
      engine.adopt(before)
      if (layout === 'scoped') this.#scoped = engine
      this.#engines.set(layout, engine)
      if (this.#told.has(layout)) this.#published.whole(layout, engine.snapshot())
    }
  }

  /** Answers the objects, as `kind:key`, whose verdict may have changed. */
  apply(changes: readonly Change[]): ReadonlySet<string> {
    const judged = this.#scoped.apply(changes)
    for (const engine of this.#engines.values()) if (engine !== this.#scoped) engine.apply(changes)
    return judged
  }

  applySlices(changes: readonly SliceChange[]): void {
    for (const engine of this.#engines.values()) engine.applySlices(changes)
  }

  /** The first time everything, then what changed. */
  publish(): void {
    for (const [layout, engine] of this.#engines) {
      if (this.#told.has(layout)) this.#published.change(layout, engine.drain())
      else this.#published.whole(layout, engine.snapshot())
      this.#told.add(layout)
    }
  }

  /** An Envoy of the layout has come, or the last has gone. */
  want(layout: Layout, wanted: boolean): void {
    if (!wanted) {
      this.#engines.delete(layout)
      this.#told.delete(layout)
      return
    }
    this.#engines.set(layout, this.#make(layout))
    if (this.#told.has('scoped')) this.publish()
  }

  #make(layout: Layout): Engine {
    const engine = new Engine(this.#world, { ...this.#options, layout })
    engine.apply(everything(this.#world))
    engine.applySlices([...this.#slices()])
    return engine
  }

  /** Word of an Envoy. @param message its words; undefined: well again @returns the HTTPProxies that it concerns */
  refuse(layout: Layout, resource: ResourceName, message: string | undefined): readonly Key[] {
    return this.#engines.get(layout)?.refuse(resource, message) ?? []
  }

  /** What Envoys refuse of the host, if it is this HTTPProxy that has it. */
  refusals(host: string, root: Key): readonly string[] {
    return [...new Set([...this.#engines.values()].flatMap((engine) => engine.refusals(host, root)))]
  }
}

function everything(world: World): readonly Change[] {
  return Object.entries(world).flatMap(([kind, objects]) =>
    [...objects].map(([key, after]) => ({ kind, key, before: undefined, after }) as Change),
  )
}
