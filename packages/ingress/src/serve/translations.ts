/**
 * The translation of the world into each layout that some Envoy follows. `scoped` is always there, and its verdicts
 * are those that status tells; another is made from the whole world when its first Envoy comes, and dropped after its
 * last has gone.
 */
import type { Key } from '@landfall/kube/model'
import { Engine, type EngineOptions } from '../engine/engine.ts'
import type { RefusedIn, ResourceName } from '../engine/refusals.ts'
import type { Change, SliceChange, World } from '../model/objects.ts'
import { refusalsTold, type Told } from '../status/programmed-condition.ts'
import type { Layout } from '../xds/layout.ts'
import type { Snapshot } from '../xds/resource.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
import type { Change as ResourceChange } from '../xds/session/store.ts'

/** Where what is translated goes. */
export interface Published {
  /** `refused`: content of it that the statuses say an Envoy refused. */
  readonly whole: (layout: Layout, snapshot: Snapshot, refused: readonly RefusedContent[]) => void
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
      if (this.#told.has(layout)) this.#published.whole(layout, engine.snapshot(), [])
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
      else this.#published.whole(layout, engine.snapshot(), this.#recall(layout, engine))
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

  /** What was refused before this replica began, from the statuses of its owners. */
  #recall(layout: Layout, engine: Engine): readonly RefusedContent[] {
    const recalled = [...this.#world.httpProxy].flatMap(([key, { spec, status }]) => {
      const host = spec.virtualhost?.fqdn.toLowerCase() ?? ''
      return refusalsTold(status).filter((one) => one.layout === layout && engine.stands(host, key, one))
    })
    for (const one of recalled) engine.refuse(one)
    return recalled
  }

  /** Word of an Envoy. @returns the HTTPProxies that it concerns */
  refuse(layout: Layout, refused: RefusedContent): readonly Key[] {
    return this.#engines.get(layout)?.refuse(refused) ?? []
  }

  /** Well again, or gone. @returns the HTTPProxies that it concerns */
  clear(layout: Layout, resource: ResourceName): readonly Key[] {
    return this.#engines.get(layout)?.clear(resource) ?? []
  }

  /**
   * What Envoys refuse of the host, if it is this HTTPProxy that has it: those of this replica, and what another
   * said of the same content. @param told in the object's status
   */
  refusals(host: string, root: Key, told: readonly Told[]): readonly RefusedIn[] {
    const own = [...this.#engines.values()].flatMap((engine) => engine.refusals(host, root))
    const known = new Set(own.map(identityOf))
    const others = told.filter((one) => !known.has(identityOf(one)) && this.#stands(host, root, one))
    return [...own, ...others]
  }

  /** Of an object newer than the one seen here, or a layout that nobody here follows, the other knows more. */
  #stands(host: string, root: Key, told: Told): boolean {
    const generation = this.#world.httpProxy.get(root)?.meta.generation ?? 0
    if (told.generation > generation) return true
    const engine = this.#engines.get(told.layout)
    return engine === undefined ? told.generation === generation : engine.stands(host, root, told)
  }
}

function identityOf({ layout, type, name, version, build }: RefusedIn): string {
  return [layout, type, name, version, build].join(' ')
}

function everything(world: World): readonly Change[] {
  return Object.entries(world).flatMap(([kind, objects]) =>
    [...objects].map(([key, after]) => ({ kind, key, before: undefined, after }) as Change),
  )
}
