/**
 * Content that an Envoy refused, by hash: no Envoy of that build is sent it again, and what was last good for the
 * name stands in, together with the clusters which that needs. Ends when the content changes.
 *
 * Listeners are not shared knowledge: an Envoy may refuse one for a reason of its own machine (a port that is
 * taken, a log file that it may not open), so a listener is withheld only from the stream that refused it.
 */
import { type Resource, type ResourceType, resourceTypes } from '../resource.ts'

/** Content, by hash, that an Envoy of this build refused. */
export interface RefusedContent {
  readonly type: ResourceType
  readonly name: string
  readonly version: string
  readonly build: string
  /** Envoy's words. */
  readonly message: string
}

/** Of a refused table of routes: what is known of who refused it. */
export interface TableRefused extends RefusedContent {
  /** The version that the Envoy goes on with, or others of its build; '': nobody has any; undefined: it is not known. */
  readonly holds: string | undefined
  /** No Envoy of another build is there. */
  readonly isAlone: boolean
}

/** An Envoy holds a table of routes: it has just taken it, or who refused another is gone. */
export interface TableTaken {
  readonly name: string
  readonly version: string
  readonly build: string
  /** No Envoy of another build is there. */
  readonly isAlone: () => boolean
}

export interface Refusal {
  /** Version → Envoy's words. */
  readonly versions: Map<string, string>
  readonly build: string
  readonly fallback: Resource | undefined
  readonly pins: readonly Resource[]
}

export interface RefusedResource {
  readonly type: ResourceType
  readonly resource: Resource
  readonly message: string
  readonly build: string
  /** What the refusing client goes on with. */
  readonly fallback: Resource | undefined
  /** The clusters that the fallback needs, as the client holds them. */
  readonly pins: readonly Resource[]
}

/** More refused versions of one name than these are forgotten, the oldest first. */
export const remembered = 16

export class Refusals {
  readonly #byType = new Map<ResourceType, Map<string, Refusal>>(
    resourceTypes.map((type) => [type, new Map()]),
  )
  readonly #pinned = new Map<string, Resource>()

  /** Answers the names of clusters that nothing pins any more; undefined: this is no news. */
  add(refused: RefusedResource): readonly string[] | undefined {
    const { type, resource } = refused
    const byName = this.#of(type)
    const before = byName.get(resource.name)
    if (before?.build === refused.build && before.versions.has(resource.version)) return undefined
    const versions = new Map(before?.build === refused.build ? before.versions : [])
    versions.set(resource.version, refused.message)
    for (const version of versions.keys()) if (versions.size > remembered) versions.delete(version)
    byName.set(resource.name, {
      versions,
      build: refused.build,
      fallback: refused.fallback ?? before?.fallback,
      pins: refused.fallback === undefined ? (before?.pins ?? []) : refused.pins,
    })
    return this.#pin()
  }

  withholds(type: ResourceType, resource: Resource, build: string): boolean {
    return this.words(type, resource, build) !== undefined
  }

  /** Of the Envoy that refused it; undefined where none of this build did. */
  words(type: ResourceType, { name, version }: Resource, build: string): string | undefined {
    if (type === 'listeners') return undefined
    const refusal = this.#of(type).get(name)
    return refusal?.build === build ? refusal.versions.get(version) : undefined
  }

  /** Undefined also where this build refused that too. */
  fallback(type: ResourceType, name: string, build: string): Resource | undefined {
    const fallback = this.#of(type).get(name)?.fallback
    return fallback !== undefined && this.withholds(type, fallback, build) ? undefined : fallback
  }

  /** A cluster that is no longer wanted but that a stand-in needs. */
  pinned(type: ResourceType, name: string): Resource | undefined {
    return type === 'clusters' ? this.#pinned.get(name) : undefined
  }

  pinnedNames(type: ResourceType): Iterable<string> {
    return type === 'clusters' ? this.#pinned.keys() : []
  }

  has(type: ResourceType, name: string): boolean {
    return this.#of(type).has(name)
  }

  /** Of the Envoys that refused something by this name. */
  build(type: ResourceType, name: string): string | undefined {
    return this.#of(type).get(name)?.build
  }

  /** The name is well again, or gone. Answers the names of clusters that nothing pins any more. */
  clear(type: ResourceType, name: string): readonly string[] {
    return this.#of(type).delete(name) ? this.#pin() : []
  }

  *entries(): Iterable<{ type: ResourceType; name: string; refusal: Refusal }> {
    for (const [type, byName] of this.#byType) {
      for (const [name, refusal] of byName) yield { type, name, refusal }
    }
  }

  #of(type: ResourceType): Map<string, Refusal> {
    const byName = this.#byType.get(type)
    if (byName === undefined) throw new Error(`no such resource type: ${type}`)
    return byName
  }

  /** Answers what is pinned no more. */
  #pin(): readonly string[] {
    const before = [...this.#pinned.keys()]
    this.#pinned.clear()
    for (const { refusal } of this.entries()) {
      for (const cluster of refusal.pins) this.#pinned.set(cluster.name, cluster)
    }
    return before.filter((cluster) => !this.#pinned.has(cluster))
  }
}
