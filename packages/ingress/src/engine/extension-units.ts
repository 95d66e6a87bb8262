/**
 * The ExtensionServices, each judged on its own and again only when something that it read has changed. Those that
 * the options name are wanted by every listener; the others by the hosts that ask for them.
 */
import type { Key } from '@landfall/kube/model'
import type { Cluster, Limit } from '../dag/cluster.ts'
import { translateExtension } from '../dag/extension-service.ts'
import type { DagOptions } from '../dag/options.ts'
import type { Outcome } from '../dag/outcome.ts'
import { clusterName } from '../envoy/names.ts'
import { trustResource } from '../envoy/secret.ts'
import { HostIndex } from '../model/host-index.ts'
import { recordingLookups } from '../model/lookups.ts'
import type { Change, World } from '../model/objects.ts'
import type { Resource } from '../xds/resource.ts'
import { Readers } from './readers.ts'

export interface ExtensionUnit {
  /** Stands among the hosts' names where verdicts are put together. */
  readonly host: string
  readonly outcomes: readonly Outcome[]
  /** Empty, unless every listener wants it. */
  readonly clusters: ReadonlyMap<string, Cluster>
  readonly secrets: readonly Resource[]
  readonly timeout: Limit
}

export interface ExtensionChange {
  readonly before: ExtensionUnit | undefined
  readonly after: ExtensionUnit | undefined
}

export class ExtensionUnits {
  readonly #world: World
  readonly #options: DagOptions
  readonly #units = new Map<Key, ExtensionUnit>()
  readonly #readers = new Readers()
  /** Of no hosts: an ExtensionService reads none. */
  readonly #hosts: HostIndex

  constructor(world: World, options: DagOptions) {
    this.#world = world
    this.#hosts = new HostIndex(world, [])
    this.#options = options
  }

  apply(changes: readonly Change[]): readonly ExtensionChange[] {
    const dirty = new Set<Key>()
    for (const change of changes) {
      if (change.kind === 'extensionService') dirty.add(change.key)
      for (const key of this.#readers.concernedBy(change)) dirty.add(key)
    }
    return [...dirty].toSorted().map((key) => this.#translate(key))
  }

  of(key: Key): ExtensionUnit | undefined {
    return this.#units.get(key)
  }

  #translate(key: Key): ExtensionChange {
    const before = this.#units.get(key)
    const service = this.#world.extensionService.get(key)
    if (service === undefined) {
      this.#units.delete(key)
      this.#readers.set(key, new Set())
      return { before, after: undefined }
    }
    const lookups = recordingLookups(this.#world, this.#hosts, [])
    const { cluster, timeout, problems } = translateExtension(service, lookups, this.#options)
    const { rateLimitService, globalAuthorization, tracing } = this.#options
    const everywhere = [rateLimitService, globalAuthorization, tracing]
    const wanted = everywhere.some((one) => one?.extensionService === key) ? cluster : undefined
    const after: ExtensionUnit = {
      host: `extension/${key}`,
      outcomes: [{ kind: 'extensionService', key, problems }],
      clusters: new Map(wanted === undefined ? [] : [[clusterName(wanted), wanted]]),
      secrets: wanted?.authority === undefined ? [] : [trustResource(wanted.authority)],
      timeout,
    }
    this.#units.set(key, after)
    this.#readers.set(key, lookups.reads)
    return { before, after }
  }
}
