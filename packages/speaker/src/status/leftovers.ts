/**
 * Takes away what nodes said that are dead: all of a node's at once, as it announces nothing any more. A new owner has it
 * done as soon as it sees it, the coordinator, who alone hears of every death, once it has lasted.
 */
import { type Cluster, hasStatus, pathOf, WorkQueue } from '@landfall/kube'
import { type Key, keyOf } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import { nodeLabel, type ReportKind, reportName, type ServiceReport } from './report-object.ts'

export interface LeftoversOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly namespace: string
  readonly kind: ReportKind
  readonly reports: () => Iterable<ServiceReport>
  readonly isAlive: (node: string) => boolean
  readonly onError: () => void
  /** A speaker that restarts is back by then. */
  readonly calmMs: number
}

/** Of a collection: the API server deletes the objects one after the other, and begins anew when it is asked anew. */
const allTimeoutMs = 60_000
const concurrentRemovals = 4

export class Leftovers {
  readonly #options: LeftoversOptions
  /** By node, so that one that fails is tried again at the pace of one. */
  readonly #nodes: WorkQueue
  /** Single reports, where all of a node's cannot be deleted at once. */
  readonly #singles: WorkQueue
  /** By dead node, reports that an owner wants gone. */
  readonly #asked = new Map<string, Set<Key>>()
  /** Nodes that were cleared a moment ago: what is seen of them yet is on its way out. false: one by one, as it has to be. */
  readonly #cleared = new Map<string, boolean>()
  /** Known to be dead. Each is cleared once: on the other side of a partition it lives, and says so again. */
  readonly #dead = new Set<string>()
  readonly #ended = new AbortController()

  constructor(options: LeftoversOptions) {
    this.#options = options
    const { cluster, logger } = options
    const common = { concurrency: concurrentRemovals, logger, gate: cluster.gate }
    this.#nodes = new WorkQueue({ work: (node) => this.#bury(node), ...common })
    this.#singles = new WorkQueue({ work: (key) => this.remove(key), ...common })
  }

  /** For the coordinator. MetalLB's speakers, whose objects have other names, are not heard, and live. */
  look(isAlive: (node: string) => boolean): void {
    const { reports, kind, calmMs } = this.#options
    for (const node of this.#dead) if (isAlive(node)) this.#dead.delete(node)
    for (const { meta, node, service } of reports()) {
      if (node === '' || service === undefined || isAlive(node) || this.#dead.has(node)) continue
      if (meta.name !== reportName(kind, node, service)) continue
      this.#dead.add(node)
      this.#nodes.addAfter(node, calmMs)
    }
  }

  /** Another coordinates. */
  forget(): void {
    this.#dead.clear()
  }

  /** Has a report of a dead node deleted, and all others of it. Answers whether it is: else it may be on its way out. */
  clear({ meta, node }: ServiceReport): boolean {
    const key = keyOf(meta)
    const cleared = this.#cleared.get(node)
    if (cleared === true) return false
    const asked = this.#asked.get(node)
    if (cleared === false) this.#singles.add(key)
    else if (asked !== undefined) asked.add(key)
    else {
      this.#asked.set(node, new Set([key]))
      this.#nodes.add(node)
    }
    return true
  }

  async remove(key: Key): Promise<void> {
    await this.#options.cluster.delete(this.#options.kind.type, key).catch((error: unknown) => {
      if (!hasStatus(error, 404)) throw error
    })
  }

  async stop(): Promise<void> {
    this.#ended.abort()
    await Promise.all([this.#nodes.stop(), this.#singles.stop()])
  }

  async #bury(node: string): Promise<void> {
    if (this.#left(node).length > 0) {
      const atOnce = await this.#removeAll(node)
      if (!atOnce) for (const key of this.#left(node)) this.#singles.add(key)
      this.#cleared.set(node, atOnce)
      setTimeout(() => this.#cleared.delete(node), this.#options.calmMs).unref()
    }
    this.#asked.delete(node)
  }

  /** Reports of it that are to go. */
  #left(node: string): readonly Key[] {
    if (this.#options.isAlive(node)) return []
    const all = [...this.#options.reports()].filter((one) => one.node === node).map(({ meta }) => keyOf(meta))
    return this.#dead.has(node) ? all : all.filter((key) => this.#asked.get(node)?.has(key) === true)
  }

  /** Whether that may be. */
  async #removeAll(node: string): Promise<boolean> {
    const label = nodeLabel('metallb.io/node', node)['metallb.io/node']
    if (label === undefined) return false
    const { cluster, namespace, kind, onError } = this.#options
    const { signal } = this.#ended
    const query = { labelSelector: `metallb.io/node=${label}` }
    const path = pathOf(kind.type, { namespace })
    return await cluster.request({ method: 'DELETE', path, query, signal, timeoutMs: allTimeoutMs }).then(
      () => true,
      (error: unknown) => {
        if (hasStatus(error, 403)) return false
        if (hasStatus(error, 404) || signal.aborted) return true
        onError()
        throw error
      },
    )
  }
}
