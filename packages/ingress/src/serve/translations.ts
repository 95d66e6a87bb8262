/**
 * The translation of the world into each layout that some Envoy follows. `scoped` is always there, and its verdicts
 * are those that status tells; another is made from the whole world when its first Envoy comes, and dropped after its
 * last has gone.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Key } from '@landfall/kube/model'
import { Engine, type EngineOptions } from '../engine/engine.ts'
import type { RefusedIn, ResourceName } from '../engine/refusals.ts'
import type { Change, SliceChange, World } from '../model/objects.ts'
import { refusalsTold, type Told } from '../status/programmed-condition.ts'
import type { Layout } from '../xds/layout.ts'
import type { Snapshot } from '../xds/resource.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
import type { Foreseen, Change as ResourceChange } from '../xds/session/store.ts'

/** Hosts that are translated at the start without a turn for anything else. */
const partSize = 500

/** Where what is translated goes. */
export interface Published {
  /** `refused`: content of it that the statuses say an Envoy refused. */
  readonly whole: (layout: Layout, snapshot: Snapshot, refused: readonly RefusedContent[]) => void
  readonly change: (layout: Layout, change: ResourceChange) => void
  /** A part of what comes whole. */
  readonly foreseen: (layout: Layout, part: Foreseen) => void
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

  /** Nothing is known yet. Until an Envoy has the runtime it asks for nothing else. */
  prepare(): void {
    this.#published.foreseen('scoped', { runtime: this.#scoped.runtime })
  }

  /**
   * The same of all that there is, with a turn of the event loop between parts of it: Envoys that have nothing take in
   * clusters meanwhile. Where content is known to be refused, they wait for all.
   * @param size hosts of a part
   */
  async *begin(changes: readonly Change[], size = partSize): AsyncGenerator<ReadonlySet<string>> {
    const parts = this.#isWithholding() ? [changes] : partsOf(changes, size)
    for (const [index, part] of parts.entries()) {
      const more = index < parts.length - 1
      yield this.#scoped.apply(part, more)
      if (!more) break
      this.#published.foreseen('scoped', this.#scoped.drainClusters())
      await turn()
    }
    for (const engine of this.#engines.values()) if (engine !== this.#scoped) engine.apply(changes)
  }

  #isWithholding(): boolean {
    return [...this.#world.httpProxy.values()].some(({ status }) => refusalsTold(status).length > 0)
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

  /** The Ingresses whose hosts hold the resource. */
  ingressesOf(layout: Layout, resource: ResourceName): readonly Key[] {
    return this.#engines.get(layout)?.ingressesOf(resource) ?? []
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

  /** What Envoys of the layout are to hold for the host, if it is this HTTPProxy that has it. */
  wants(layout: Layout, host: string, root: Key): readonly ResourceName[] {
    return this.#engines.get(layout)?.wants(host, root) ?? []
  }

  /** What Envoys of the layout are to hold for the host, whosoever has it. */
  resources(layout: Layout, host: string): readonly ResourceName[] {
    return this.#engines.get(layout)?.resources(host) ?? []
  }

  /** Of an object newer than the one seen here, or a layout that nobody here follows, the other knows more. */
  #stands(host: string, root: Key, told: Told): boolean {
    const generation = this.#world.httpProxy.get(root)?.meta.generation ?? 0
    if (told.generation > generation) return true
    const engine = this.#engines.get(told.layout)
    return engine === undefined ? told.generation === generation : engine.stands(host, root, told)
  }
}

/** First what hosts read, so that none is translated twice. */
function partsOf(changes: readonly Change[], size: number): readonly (readonly Change[])[] {
  const { true: roots = [], false: others = [] } = Object.groupBy(changes, (one) => `${isRoot(one)}` as const)
  const count = Math.ceil(roots.length / size)
  const parts = Array.from({ length: count }, (_, n) => roots.slice(n * size, (n + 1) * size))
  return [others, ...parts]
}

function isRoot({ kind, after }: Change): boolean {
  return kind === 'ingress' || (kind === 'httpProxy' && after?.spec.virtualhost !== undefined)
}

function identityOf({ layout, type, name, version, build }: RefusedIn): string {
  return [layout, type, name, version, build].join(' ')
}

function everything(world: World): readonly Change[] {
  return Object.entries(world).flatMap(([kind, objects]) =>
    [...objects].map(([key, after]) => ({ kind, key, before: undefined, after }) as Change),
  )
}
