/**
 * The translation of the world into each layout that some Envoy follows. `scoped` is always there, and its verdicts
 * are those that status tells; another is made from the whole world when its first Envoy comes, and dropped after its
 * last has gone. What is made anew is made in parts, with a turn of the event loop between them.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Key } from '@landfall/kube/model'
import { Engine } from '../engine/engine.ts'
import type { EngineOptions } from '../engine/engine-options.ts'
import type { RefusedIn, ResourceName } from '../engine/refusals.ts'
import type { Found } from '../engine/shared-table.ts'
import { hostsOf } from '../model/host-index.ts'
import type { Change, SliceChange, World } from '../model/objects.ts'
import { refusalsTold, type Told } from '../status/programmed-condition.ts'
import type { RefusedOfIngress } from '../status/refusal-events.ts'
import type { Layout } from '../xds/layout.ts'
import type { Snapshot } from '../xds/resource.ts'
import type { RefusedContent, TableRefused, TableTaken } from '../xds/session/refusals.ts'
import type { Foreseen, Change as ResourceChange } from '../xds/session/store.ts'

/** Hosts that are translated without a turn for anything else: at the start, and when Envoys wait for changes. */
const partSize = { start: 500, later: 50 } as const

/** So many Ingresses that share refused content are told of it again. */
const mostSharing = 100

/** Where what is translated goes. */
export interface Published {
  /** `refused`: content of it that statuses and Events say an Envoy refused. */
  readonly whole: (layout: Layout, snapshot: Snapshot, refused: readonly RefusedContent[]) => void
  readonly change: (layout: Layout, change: ResourceChange) => void
  /** A part of what comes whole. */
  readonly foreseen: (layout: Layout, part: Foreseen) => void
  /** Of these HTTPProxies nothing is refused any more. */
  readonly released?: (proxies: ReadonlySet<Key>) => void
}

export class Translations {
  /** Whole, and published; `scoped` is there from the start. */
  readonly #engines = new Map<Layout, Engine>()
  /** To take their place. Changes go to them too, whatever has been fed to them so far. */
  readonly #making = new Map<Layout, Engine>()
  readonly #begun = Promise.withResolvers<void>()
  /** Engines are made one after the other, once the first is published. */
  #made = this.#begun.promise
  #isPublished = false
  /** What was refused of Ingresses in a layout before it was made, or made again. */
  #told: readonly RefusedOfIngress[] = []
  readonly #world: World
  readonly #slices: () => Iterable<SliceChange>
  #scoped: Engine
  #options: EngineOptions
  readonly #published: Published
  readonly #size: number

  /** @param slices all there are, each as one that came @param size hosts of a part, once it has begun */
  constructor(
    world: World,
    slices: () => Iterable<SliceChange>,
    options: EngineOptions,
    published: Published,
    size: number = partSize.later,
  ) {
    this.#world = world
    this.#slices = slices
    this.#options = options
    this.#published = published
    this.#size = size
    this.#scoped = new Engine(world, options)
    this.#engines.set('scoped', this.#scoped)
  }

  get scoped(): Engine {
    return this.#scoped
  }

  /**
   * Translates everything anew; an Envoy is sent what came out differently. Until that is whole, what was goes on.
   * Resolves then, or when it is not wanted any more.
   */
  async configure(options: EngineOptions): Promise<void> {
    this.#options = options
    const layouts = new Set([...this.#engines.keys(), ...this.#making.keys()])
    await Promise.all([...layouts].map((layout) => this.#make(layout)))
  }

  /** Answers the objects, as `kind:key`, whose verdict may have changed. */
  apply(changes: readonly Change[]): ReadonlySet<string> {
    const judged = this.#scoped.apply(changes)
    for (const engine of this.#engines.values()) {
      if (engine === this.#scoped) continue
      engine.apply(changes)
      this.#published.released?.(engine.takeReleased())
    }
    for (const engine of this.#making.values()) engine.apply(changes, true)
    return judged
  }

  /** Nothing is known yet. Until an Envoy has the runtime it asks for nothing else. */
  prepare(): void {
    this.#published.foreseen('scoped', { runtime: this.#scoped.runtime })
  }

  /** What Events told before, the newest last: it is withheld in each layout from its beginning. */
  remember(told: readonly RefusedOfIngress[]): void {
    this.#told = told.filter((one) => this.#hosts(one).length > 0)
  }

  /**
   * The same of all that there is, with a turn of the event loop between parts of it: Envoys that have nothing take in
   * clusters meanwhile. Where some are known to be refused, they wait for all.
   * @param size hosts of a part
   */
  async *begin(
    changes: readonly Change[],
    size: number = partSize.start,
  ): AsyncGenerator<ReadonlySet<string>> {
    const parts = this.#isWithholding() ? [changes] : partsOf(changes, size)
    for (const [index, part] of parts.entries()) {
      const more = index < parts.length - 1
      yield this.#scoped.apply(part, more)
      if (!more) break
      this.#published.foreseen('scoped', this.#scoped.drainClusters())
      await turn()
    }
  }

  #isWithholding(): boolean {
    const ofProxies = [...this.#world.httpProxy.values()].flatMap(({ status }) => refusalsTold(status))
    return [...ofProxies, ...this.#told].some(({ type }) => type === 'clusters' || type === 'endpoints')
  }

  applySlices(changes: readonly SliceChange[]): void {
    for (const engine of [...this.#engines.values(), ...this.#making.values()]) engine.applySlices(changes)
  }

  /** The first time everything, then what changed. */
  publish(): void {
    if (this.#isPublished)
      for (const [layout, engine] of this.#engines) this.#published.change(layout, engine.drain())
    else this.#published.whole('scoped', this.#scoped.snapshot(), this.#recall('scoped', this.#scoped))
    this.#isPublished = true
    this.#begun.resolve()
  }

  /**
   * An Envoy of the layout has come, or the last has gone. Resolves when it is published, or is not wanted any more.
   */
  async want(layout: Layout, wanted: boolean): Promise<void> {
    if (wanted) return await this.#make(layout)
    if (this.#engines.has(layout))
      this.#told = [...this.#told.filter((one) => one.layout !== layout), ...this.#standing(layout)]
    this.#engines.delete(layout)
    this.#making.delete(layout)
  }

  /** What is being made is given up. */
  stop(): void {
    this.#making.clear()
  }

  #make(layout: Layout): Promise<void> {
    const engine = new Engine(this.#world, { ...this.#options, layout })
    this.#making.set(layout, engine)
    this.#made = this.#made.then(() => this.#feed(layout, engine))
    return this.#made
  }

  /** Of each object what it is by then: what changes later comes as a change. */
  async #feed(layout: Layout, engine: Engine): Promise<void> {
    engine.applySlices([...this.#slices()])
    for (const part of [...partsOf(everything(this.#world), this.#size), []]) {
      await turn()
      if (this.#making.get(layout) !== engine) return
      engine.apply(
        part.map((one) => current(this.#world, one)),
        true,
      )
    }
    this.#replace(layout, engine)
  }

  #replace(layout: Layout, engine: Engine): void {
    const before = this.#engines.get(layout)
    engine.apply([])
    if (before !== undefined) engine.adopt(before)
    if (layout === 'scoped') this.#scoped = engine
    this.#making.delete(layout)
    this.#engines.set(layout, engine)
    const refused = before === undefined ? this.#recall(layout, engine) : []
    this.#published.whole(layout, engine.snapshot(), refused)
  }

  /** What was refused before this replica began, as its owners were told. Of each content once: there may be many. */
  #recall(layout: Layout, engine: Engine): readonly RefusedContent[] {
    const ofProxies = [...this.#world.httpProxy].flatMap(([key, { spec, status }]) => {
      const host = spec.virtualhost?.fqdn.toLowerCase() ?? ''
      return refusalsTold(status).filter((one) => one.layout === layout && engine.stands(host, key, one))
    })
    const ofIngresses = this.#told.filter(
      (one) => one.layout === layout && this.#hosts(one).some((host) => engine.stands(host, undefined, one)),
    )
    const recalled = new Map([...ofProxies, ...ofIngresses].map((one) => [identityOf(one), one]))
    for (const one of recalled.values()) engine.refuse(one)
    return [...recalled.values()]
  }

  /** Of the Ingress, while it is the same one. */
  #hosts({ ingress: key, uid }: RefusedOfIngress): readonly string[] {
    const ingress = this.#world.ingress.get(key)
    return ingress?.meta.uid === uid ? [...hostsOf(ingress)] : []
  }

  /** Word of an Envoy, and the version that it goes on with. @returns what is at fault; undefined while it is sought */
  narrow(layout: Layout, refused: TableRefused): RefusedContent | undefined {
    const found = this.#engines.get(layout)?.narrow(refused)
    this.#release(layout)
    return found === refused ? refused : this.#follow(layout, found)
  }

  /** @returns what is at fault of a table that was refused before, if that is found */
  taken(layout: Layout, table: TableTaken): RefusedContent | undefined {
    const found = this.#engines.get(layout)?.taken(table)
    this.#release(layout)
    return this.#follow(layout, found)
  }

  #release(layout: Layout): void {
    const released = this.#engines.get(layout)?.takeReleased() ?? new Set()
    if (released.size > 0) this.#published.released?.(released)
  }

  /** What an Envoy's word leads to is published once that is dealt with. */
  #follow(layout: Layout, found: Found): RefusedContent | undefined {
    if (found !== undefined) void this.#publishSoon(layout)
    return found === 'sought' ? undefined : found
  }

  async #publishSoon(layout: Layout): Promise<void> {
    await turn()
    const engine = this.#engines.get(layout)
    if (layout !== 'scoped' && engine !== undefined) this.#published.change(layout, engine.drain())
  }

  /** Known to be at fault. @returns the HTTPProxies that it concerns */
  refuse(layout: Layout, refused: RefusedContent): readonly Key[] {
    void this.#publishSoon(layout)
    return this.#engines.get(layout)?.refuse(refused) ?? []
  }

  /** The Ingresses whose hosts hold the content. */
  ofIngresses(layout: Layout, refused: RefusedContent): readonly RefusedOfIngress[] {
    const keys = this.#engines.get(layout)?.ingressesOf(refused) ?? []
    return keys.flatMap((ingress) => {
      const uid = this.#world.ingress.get(ingress)?.meta.uid
      return uid === undefined ? [] : { ...refused, layout, ingress, uid }
    })
  }

  /** What Envoys refuse at present of the hosts of Ingresses: some of them where many share it. */
  standing(): readonly RefusedOfIngress[] {
    return [...this.#engines.keys()].flatMap((layout) => this.#standing(layout))
  }

  #standing(layout: Layout): readonly RefusedOfIngress[] {
    const refused = this.#engines.get(layout)?.standing() ?? []
    return refused.flatMap((one) => this.ofIngresses(layout, one).slice(0, mostSharing))
  }

  /** Well again, or gone. @returns the HTTPProxies that it concerns */
  clear(layout: Layout, resource: ResourceName): readonly Key[] {
    void this.#publishSoon(layout)
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

function current(world: World, { kind, key }: Change): Change {
  return { kind, key, before: undefined, after: world[kind].get(key) } as Change
}

function everything(world: World): readonly Change[] {
  return Object.entries(world).flatMap(([kind, objects]) =>
    [...objects].map(([key, after]) => ({ kind, key, before: undefined, after }) as Change),
  )
}
