/**
 * What the controller says about the configuration: the condition `Valid` on each of its objects, the counters of
 * pools, and the ConfigurationState `controller`. Written only on change, at most once a second an object.
 */
import { type Condition, type ConfigurationState, configurationState } from '@landfall/api'
import {
  type Cluster,
  customType,
  hasStatus,
  type RawObject,
  type ResourceType,
  StatusWriter,
  WorkQueue,
} from '@landfall/kube'
import { type Key, keyOf } from '@landfall/kube/model'
import type { Config, Refusal } from '@landfall/metallb'
import { describeError, type Logger } from '@landfall/telemetry'
import type { LedgerView } from './allocation/ledger.ts'
import { countedUsage, fullnessOf, type PoolUsage } from './allocation/usage.ts'
import { withCondition, withoutCondition } from './condition.ts'
import type { ConfigObject, Configured } from './configuration.ts'
import { exactCount, sameStatus } from './exact-count.ts'

const stateType = customType<ConfigurationState>(configurationState)
const stateName = 'controller'
const flushMs = 1000
export interface ReportsOptions {
  readonly cluster: Cluster
  readonly namespace: string
  /** Name of the ConfigMap that may rule instead of objects. */
  readonly configMap: string
  readonly logger: Logger
  readonly mayWrite: () => boolean
  readonly ledger: LedgerView
}

interface Report {
  readonly type: ResourceType
  readonly key: Key
  readonly status: (old: Readonly<Record<string, unknown>>) => object
}

export class Reports {
  readonly #options: ReportsOptions
  readonly #writer: StatusWriter
  readonly #queue: WorkQueue
  /** What each object's status should be, by kind and key; said anew only when it could differ. */
  readonly #reports = new Map<string, Report>()
  readonly #dirty = new Set<string>()
  /** Counters of each pool when its report was last asked for. */
  readonly #counted = new Map<string, string>()
  readonly #timer: NodeJS.Timeout
  #config: Config = { pools: [], peers: [] }
  /** The state's kind is missing, or may not be written: asked again when the configuration changes. */
  #withoutState = false
  #saidWithoutState = false

  constructor(options: ReportsOptions) {
    this.#options = options
    this.#writer = new StatusWriter(options.cluster, options.logger)
    this.#queue = new WorkQueue({ work: (id) => this.#write(id), concurrency: 2, logger: options.logger })
    this.#timer = setInterval(() => this.#flush(), flushMs)
    this.#timer.unref()
  }

  /** Addresses were given or taken. */
  usageChanged(): void {
    for (const pool of this.#config.pools) {
      const { v4, v6 } = countedUsage(pool, this.#options.ledger)
      const counters = [v4.assigned, v4.total, v6.assigned, v6.total].join()
      if (this.#counted.get(pool.name) === counters) continue
      this.#counted.set(pool.name, counters)
      this.#dirty.add(`IPAddressPool ${this.#options.namespace}/${pool.name}`)
    }
  }

  configChanged(
    configured: Configured,
    objects: Iterable<{ readonly type: ResourceType; readonly object: ConfigObject }>,
  ): void {
    const { refusals } = configured
    this.#config = configured.config
    this.#reports.clear()
    this.#withoutState = false
    const byObject = Map.groupBy(refusals, ({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)
    for (const { type, object } of objects) {
      const key = keyOf(object.meta)
      const id = `${type.kind} ${key}`
      const refused = byObject.get(id) ?? []
      const { generation, name } = object.meta
      const judged = (old: Readonly<Record<string, unknown>>) => ({
        ...old,
        conditions: withCondition(old['conditions'], validity(refused, generation)),
      })
      const status = (old: Readonly<Record<string, unknown>>) =>
        type.kind === 'IPAddressPool' ? this.#withUsage(name, judged(old), generation) : judged(old)
      this.#reports.set(id, { type, key, status })
    }
    this.#reports.set(stateName, {
      type: stateType,
      key: `${this.#options.namespace}/${stateName}`,
      status: (old) =>
        stateOf(configured, `ConfigMap ${this.#options.namespace}/${this.#options.configMap}`, old),
    })
    for (const id of this.#reports.keys()) this.#dirty.add(id)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#queue.stop()
  }

  #flush(): void {
    for (const id of this.#dirty) this.#queue.add(id)
    this.#dirty.clear()
  }

  async #write(id: string): Promise<void> {
    const report = this.#reports.get(id)
    if (report === undefined || !this.#options.mayWrite()) return
    if (!this.#options.cluster.gate.isOpen()) return this.#queue.addAfter(id, flushMs)
    if (id === stateName && !(await this.#ensureState())) return
    await this.#writer.write(
      report.type,
      report.key,
      (raw) => {
        const status = report.status(statusOf(raw))
        return sameStatus(statusOf(raw), status) ? undefined : { ...raw, status }
      },
      { precondition: this.#options.mayWrite },
    )
  }

  /** @returns false where the kind is not installed or may not be written */
  async #ensureState(): Promise<boolean> {
    if (this.#withoutState) return false
    const { cluster, namespace, logger } = this.#options
    try {
      await cluster.get(stateType, `${namespace}/${stateName}`).catch((error: unknown) => {
        if (!hasStatus(error, 404)) throw error
        return cluster.create(stateType, {
          apiVersion: stateType.apiVersion,
          kind: stateType.kind,
          metadata: { namespace, name: stateName, labels: { 'metallb.io/component-type': 'controller' } },
        })
      })
      return true
    } catch (error) {
      if (!hasStatus(error, 403, 404)) throw error
      this.#withoutState = true
      if (!this.#saidWithoutState) {
        logger.warn('noConfigurationState', { error: describeError(error) }, 'the state is not reported')
      }
      this.#saidWithoutState = true
      return false
    }
  }

  /** Counters, and how full it is; a pool that cannot be read has neither. */
  #withUsage(name: string, status: { readonly conditions: readonly object[] }, generation: number): object {
    const pool = this.#config.pools.find((one) => one.name === name)
    if (pool === undefined) return status
    const usage = countedUsage(pool, this.#options.ledger)
    const fullness = { type: 'NearlyFull', ...fullnessOf(usage), observedGeneration: generation }
    return { ...status, ...countersOf(usage), conditions: withCondition(status.conditions, fullness) }
  }
}

function countersOf({ v4, v6 }: PoolUsage): object {
  const free = (total: bigint, assigned: bigint) => exactCount(assigned > total ? 0n : total - assigned)
  return {
    assignedIPv4: exactCount(v4.assigned),
    assignedIPv6: exactCount(v6.assigned),
    availableIPv4: free(v4.total, v4.assigned),
    availableIPv6: free(v6.total, v6.assigned),
  }
}

function validity(refusals: readonly Refusal[], generation: number): Omit<Condition, 'lastTransitionTime'> {
  const [first] = refusals
  return {
    type: 'Valid',
    status: first === undefined ? 'True' : 'False',
    reason: first?.reason ?? 'Valid',
    message: refusals.map(({ message }) => message).join('\n'),
    observedGeneration: generation,
  }
}

function stateOf(
  { refusals, source, both }: Configured,
  configMap: string,
  old: Readonly<Record<string, unknown>>,
): object {
  const errorSummary = refusals.map(({ message }) => message).join('\n')
  const valid = refusals.length === 0
  const condition = {
    type: 'poolReconcilerValid',
    status: valid ? 'True' : 'False',
    reason: valid ? 'Reconciled' : 'ConfigurationError',
    message: errorSummary,
  } as const
  return {
    result: valid ? 'Valid' : 'Invalid',
    errorSummary,
    conditions: withSource(withCondition(old['conditions'], condition), source, both, configMap),
  }
}

function statusOf(raw: RawObject): Readonly<Record<string, unknown>> {
  const { status } = raw
  return typeof status === 'object' && status !== null ? { ...status } : {}
}

/** Which configuration rules, and why, wherever there could be a doubt. */
function withSource(
  list: readonly object[],
  source: Configured['source'],
  both: boolean,
  configMap: string,
): readonly object[] {
  const type = 'configurationSource'
  if (source === 'configMap') {
    const message = `${configMap} rules, since there is no IPAddressPool`
    return withCondition(list, { type, status: 'True', reason: 'ConfigMap', message })
  }
  if (!both) return withoutCondition(list, type)
  const message = `the metallb.io objects rule, since there is an IPAddressPool; ${configMap} is not used`
  return withCondition(list, { type, status: 'True', reason: 'Objects', message })
}
