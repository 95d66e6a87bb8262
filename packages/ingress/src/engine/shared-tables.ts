/** Tables of the classic layouts that hosts share: of the plain side, and of clients that name no host. */
import { fallbackTableName, plainTableName } from '../envoy/route-table.ts'
import type { Layout } from '../xds/layout.ts'
import type { RefusedContent, TableRefused, TableTaken } from '../xds/session/refusals.ts'
import type { ResourceName } from './refusals.ts'
import { type Found, type Served, SharedTable } from './shared-table.ts'
import type { Unit } from './units.ts'

const nobody: Pick<Unit, 'plain' | 'fallbackEntry' | 'clusters' | 'secrets'> = {
  plain: undefined,
  fallbackEntry: undefined,
  clusters: new Map(),
  secrets: [],
}

export class SharedTables {
  readonly #plain: SharedTable
  readonly #fallback: SharedTable
  readonly #all: readonly SharedTable[]

  constructor(layout: Layout) {
    this.#plain = new SharedTable(plainTableName, 'http', true)
    this.#fallback = new SharedTable(fallbackTableName, 'fallback', false)
    this.#all = layout === 'scoped' ? [] : [this.#plain, this.#fallback]
  }

  set(host: string, unit: Unit | undefined): void {
    const { plain, fallbackEntry, clusters, secrets } = unit ?? nobody
    this.#plain.set(host, plain === true ? undefined : plain, { clusters, secrets })
    this.#fallback.set(host, fallbackEntry, { clusters, secrets })
  }

  /** Those that changed since the last call. */
  take(): readonly Served[] {
    return this.#all.flatMap((one) => one.take() ?? [])
  }

  refused(refused: TableRefused): Found {
    return this.#by(refused)?.refused(refused)
  }

  taken(table: TableTaken): Found {
    return this.#by({ type: 'routes', name: table.name })?.taken(table)
  }

  /** A cluster is refused. @returns whether hosts need it */
  without(cluster: string): boolean {
    return this.#all.map((one) => one.without(cluster)).some(Boolean)
  }

  /** A refused cluster is well again, or gone. @returns whether hosts waited for that */
  with(cluster: string): boolean {
    return this.#all.map((one) => one.with(cluster)).some(Boolean)
  }

  /** @returns whether it was served so far */
  withhold(refused: RefusedContent): boolean {
    return refused.type === 'routes' && this.#all.some((one) => one.withhold(refused))
  }

  /** Of the entry of one host. */
  version(name: string): string | undefined {
    for (const one of this.#all) {
      const version = one.version(name)
      if (version !== undefined) return version
    }
    return undefined
  }

  /** Undefined: it is none of these. */
  hosts(resource: ResourceName): Iterable<string> | undefined {
    return this.#by(resource)?.hosts
  }

  adopt(before: SharedTables): void {
    this.#plain.adopt(before.#plain)
    this.#fallback.adopt(before.#fallback)
  }

  #by({ type, name }: ResourceName): SharedTable | undefined {
    return type === 'routes' ? this.#all.find((one) => one.name === name) : undefined
  }
}
