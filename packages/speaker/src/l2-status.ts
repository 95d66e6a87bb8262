/**
 * ServiceL2Status: the owner's speaker says that it announces a Service, and on which interfaces. One object a
 * Service: the owner deletes those of others, and nothing is written where the right object stands already. The
 * objects belong to the DaemonSet, so that a pod's replacement rewrites nothing.
 */
import { createHash } from 'node:crypto'
import type { ServiceL2Status } from '@landfall/api'
import { type Cluster, hasStatus, type RawObject, Reflector, StatusWriter, WorkQueue } from '@landfall/kube'
import { type Key, keyOf, splitKey } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import { serviceL2StatusType as type } from './world/custom-types.ts'

const longestLabel = 63

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

export interface L2StatusOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly namespace: string
  readonly node: string
  /** The DaemonSet; asked when something is created. */
  readonly owner: () => Promise<OwnerReference | undefined>
  readonly onError: () => void
}

/** By Service: the interfaces that an advertisement names; [] means all. */
export type Owned = ReadonlyMap<Key, readonly string[]>

export class L2Statuses {
  readonly #options: L2StatusOptions
  readonly #reflector: Reflector<ServiceL2Status>
  readonly #queue: WorkQueue
  readonly #writer: StatusWriter
  readonly #byService = new Map<Key, Set<Key>>()
  #owned: Owned | undefined

  constructor(options: L2StatusOptions) {
    this.#options = options
    const { cluster, logger, namespace } = options
    this.#writer = new StatusWriter(cluster, logger)
    this.#queue = new WorkQueue({ work: (key) => this.#reconcile(key), logger, gate: cluster.gate })
    this.#reflector = new Reflector({
      cluster,
      logger,
      type,
      namespace,
      optional: true,
      onChange: (changes) => {
        for (const { key, before, after } of changes) {
          this.#index(key, before, after)
          this.#touch(after ?? before)
        }
      },
    })
  }

  /** Resolves when it is known what is said already. */
  async start(): Promise<void> {
    this.#reflector.start()
    await this.#reflector.synced
  }

  /** What this node owns; nothing is written before the first call. */
  setOwned(owned: Owned): void {
    const before = this.#owned
    this.#owned = owned
    if (before === undefined) for (const status of this.#reflector.items.values()) this.#touch(status)
    for (const key of new Set([...(before ?? new Map()).keys(), ...owned.keys()]))
      if (!sameTexts(before?.get(key), owned.get(key))) this.#queue.add(key)
  }

  /** Whether this node is said to announce the Service. */
  isReported(service: Key): boolean {
    return this.#of(service).some((object) => nodeOf(object) === this.#options.node)
  }

  async stop(): Promise<void> {
    this.#reflector.stop()
    await this.#queue.stop()
  }

  #index(key: Key, before: ServiceL2Status | undefined, after: ServiceL2Status | undefined): void {
    const [was, is] = [before, after].map((object) => (object === undefined ? undefined : serviceOf(object)))
    if (was !== undefined && was !== is) this.#byService.get(was)?.delete(key)
    if (is === undefined) return
    const keys = this.#byService.get(is)
    if (keys === undefined) this.#byService.set(is, new Set([key]))
    else keys.add(key)
  }

  #touch(object: ServiceL2Status | undefined): void {
    const service = object === undefined ? undefined : serviceOf(object)
    if (service !== undefined && this.#owned !== undefined) this.#queue.add(service)
  }

  async #reconcile(service: Key): Promise<void> {
    try {
      if (this.#owned === undefined) return
      const interfaces = this.#owned.get(service)
      const mine = this.#nameFor(service)
      for (const object of this.#of(service)) {
        const stale =
          interfaces === undefined ? nodeOf(object) === this.#options.node : object.meta.name !== mine
        if (stale) await this.#remove(keyOf(object.meta))
      }
      if (interfaces !== undefined) await this.#write(service, mine, interfaces)
    } catch (error) {
      if (hasStatus(error, 403)) {
        this.#options.logger.debug('statusForbidden', { service, error })
        return
      }
      this.#options.onError()
      throw error
    }
  }

  async #write(service: Key, name: string, interfaces: readonly string[]): Promise<void> {
    const { namespace, node, cluster } = this.#options
    const { namespace: serviceNamespace, name: serviceName } = splitKey(service)
    const status = {
      node,
      serviceName,
      serviceNamespace,
      ...(interfaces.length === 0 ? {} : { interfaces: interfaces.map((each) => ({ name: each })) }),
    }
    const known = this.#reflector.get(`${namespace}/${name}`)
    if (known !== undefined && sameStatus(known.status, status)) return
    if (known === undefined)
      await cluster.create(type, await this.#object(service, name)).catch((error: unknown) => {
        if (!hasStatus(error, 409)) throw error
      })
    await this.#writer.write(type, `${namespace}/${name}`, (raw) => ({ ...raw, status }))
  }

  async #object(service: Key, name: string): Promise<RawObject> {
    const { namespace, node } = this.#options
    const owner = await this.#options.owner()
    const { namespace: serviceNamespace, name: serviceName } = splitKey(service)
    return {
      apiVersion: type.apiVersion,
      kind: type.kind,
      metadata: {
        name,
        namespace,
        labels: {
          ...(node.length > longestLabel ? {} : { 'metallb.io/node': node }),
          'metallb.io/service-name': serviceName,
          'metallb.io/service-namespace': serviceNamespace,
        },
        ...(owner === undefined ? {} : { ownerReferences: [owner] }),
      },
      spec: {},
    }
  }

  async #remove(key: Key): Promise<void> {
    await this.#options.cluster.delete(type, key).catch((error: unknown) => {
      if (!hasStatus(error, 404)) throw error
    })
  }

  #of(service: Key): readonly ServiceL2Status[] {
    return [...(this.#byService.get(service) ?? [])].flatMap((key) => this.#reflector.get(key) ?? [])
  }

  /** The same after a restart; another for each node, since the API lets the node in a status not change. */
  #nameFor(service: Key): string {
    const digest = createHash('sha256').update(`${this.#options.node}#${service}`).digest('hex')
    return `l2-${digest.slice(0, 10)}`
  }
}

function nodeOf({ meta, status }: ServiceL2Status): string | undefined {
  return status?.node ?? meta.labels['metallb.io/node']
}

/** By its labels, which it has from the start; the status comes a moment later. */
function serviceOf({ meta, status }: ServiceL2Status): Key | undefined {
  const name = meta.labels['metallb.io/service-name'] ?? status?.serviceName
  const namespace = meta.labels['metallb.io/service-namespace'] ?? status?.serviceNamespace
  return name === undefined || namespace === undefined ? undefined : `${namespace}/${name}`
}

function sameStatus(a: ServiceL2Status['status'], b: NonNullable<ServiceL2Status['status']>): boolean {
  const names = (status: ServiceL2Status['status']) =>
    (status?.interfaces ?? []).map((each) => each.name ?? '')
  return a?.node === b.node && sameTexts(names(a), names(b))
}

function sameTexts(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((text, i) => text === b[i])
}
