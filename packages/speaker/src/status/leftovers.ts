/**
 * Takes away what nodes said that are dead: all of a node's at once, as it announces nothing any more. A new owner has it
 * done as soon as it sees it, the coordinator, who alone hears of every death, once it has lasted.
 */
import { type Cluster, hasStatus, pathOf, WorkQueue } from '@landfall/kube'
import { keyOf } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import { nodeLabel, type ReportKind, reportName, type ServiceReport } from './report-object.ts'

export interface LeftoversOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly namespace: string
  readonly kind: ReportKind
  readonly reports: () => Iterable<ServiceReport>
  /** A speaker that restarts is back by then. */
  readonly calmMs: number
}

export class Leftovers {
  readonly #options: LeftoversOptions
  readonly #queue: WorkQueue
  /** Nodes whose reports are being deleted; false: they may not be all at once. */
  readonly #clearing = new Map<string, Promise<boolean>>()
  /** Known to be dead. Each is cleared once: on the other side of a partition it lives, and says so again. */
  readonly #dead = new Set<string>()

  constructor(options: LeftoversOptions) {
    this.#options = options
    const { cluster, logger } = options
    this.#queue = new WorkQueue({ work: (node) => this.#bury(node), logger, gate: cluster.gate })
  }

  /** For the coordinator. MetalLB's speakers, whose objects have other names, are not heard, and live. */
  look(isAlive: (node: string) => boolean): void {
    const { reports, kind, calmMs } = this.#options
    for (const node of this.#dead) if (isAlive(node)) this.#dead.delete(node)
    for (const { meta, node, service } of reports()) {
      if (node === '' || service === undefined || isAlive(node) || this.#dead.has(node)) continue
      if (meta.name !== reportName(kind, node, service)) continue
      this.#dead.add(node)
      this.#queue.addAfter(node, calmMs)
    }
  }

  /** Another coordinates. */
  forget(): void {
    this.#dead.clear()
  }

  /** A report of a dead node, and all others of it. */
  async clear({ meta, node }: ServiceReport): Promise<void> {
    if (!(await this.#removeAllOnce(node))) await this.remove(keyOf(meta))
  }

  async remove(key: string): Promise<void> {
    await this.#options.cluster.delete(this.#options.kind.type, key).catch((error: unknown) => {
      if (!hasStatus(error, 404)) throw error
    })
  }

  stop(): Promise<void> {
    return this.#queue.stop()
  }

  async #bury(node: string): Promise<void> {
    if (!this.#dead.has(node)) return
    const left = [...this.#options.reports()].filter((report) => report.node === node)
    if (left.length === 0 || (await this.#removeAllOnce(node))) return
    for (const { meta } of left) await this.remove(keyOf(meta))
  }

  #removeAllOnce(node: string): Promise<boolean> {
    const known = this.#clearing.get(node)
    if (known !== undefined) return known
    const clearing = this.#removeAll(node)
    this.#clearing.set(node, clearing)
    const forget = (): boolean => this.#clearing.delete(node)
    clearing.then(() => setTimeout(forget, this.#options.calmMs).unref(), forget)
    return clearing
  }

  async #removeAll(node: string): Promise<boolean> {
    const label = nodeLabel('metallb.io/node', node)['metallb.io/node']
    if (label === undefined) return false
    const { cluster, namespace, kind } = this.#options
    const query = { labelSelector: `metallb.io/node=${label}` }
    const path = pathOf(kind.type, { namespace })
    return await cluster.request({ method: 'DELETE', path, query }).then(
      () => true,
      (error: unknown) => {
        if (hasStatus(error, 403)) return false
        throw error
      },
    )
  }
}
