/**
 * The ConfigurationState `speaker-<node>`: whether this speaker could use every object that concerns its node. Written
 * on change only. It belongs to the Node: a pod's replacement rewrites nothing, and no state of a node that went stays.
 */
import { isDeepStrictEqual } from 'node:util'
import { type ConfigurationState, configurationState } from '@landfall/api'
import {
  type Cluster,
  customType,
  delayMs,
  hasStatus,
  type RawObject,
  Reflector,
  StatusWriter,
  WorkQueue,
} from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import { type ComponentState, componentState } from '@landfall/metallb/state'
import { describeError, type Logger } from '@landfall/telemetry'
import type { OwnerReference } from './owner-reference.ts'
import { nodeLabel } from './report-object.ts'

const type = customType<ConfigurationState>(configurationState)
const flushMs = 200
/** The kind may be installed later, and an API server that has just started refuses everybody. */
const absence = { firstMs: 1000, ceilingMs: 300_000 }
/** So many in a row are meant. */
const meantRefusals = 3

export type Judgement = Omit<ComponentState, 'type'>

export interface StateReportOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly namespace: string
  readonly node: string
  readonly owner: () => OwnerReference | undefined
  readonly onError: () => void
}

export class StateReport {
  readonly #options: StateReportOptions
  readonly #key: Key
  readonly #reflector: Reflector<ConfigurationState>
  readonly #queue: WorkQueue
  readonly #writer: StatusWriter
  #judgement: Judgement | undefined
  /** How often in a row the kind was missing, or might not be written. */
  #absences = 0

  constructor(options: StateReportOptions) {
    this.#options = options
    const { cluster, logger, namespace, node } = options
    const name = `speaker-${node}`
    this.#key = `${namespace}/${name}`
    this.#writer = new StatusWriter(cluster, logger)
    this.#queue = new WorkQueue({ work: () => this.#report(), logger, gate: cluster.gate })
    this.#reflector = new Reflector({
      cluster,
      logger,
      type,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      optional: true,
      onChange: () => this.#touch(),
    })
  }

  /** Resolves when it is known what is said already. */
  async start(): Promise<void> {
    this.#reflector.start()
    await this.#reflector.synced
  }

  set(judgement: Judgement): void {
    this.#judgement = judgement
    this.#touch()
  }

  async stop(): Promise<void> {
    this.#reflector.stop()
    await this.#queue.stop()
  }

  #touch(): void {
    if (this.#judgement !== undefined) this.#queue.addAfter(this.#key, flushMs)
  }

  async #report(): Promise<void> {
    const judgement = this.#judgement
    if (judgement === undefined) return
    const status = (old: object) =>
      componentState({ ...old }, { ...judgement, type: 'configReconcilerValid' }, () => new Date())
    const known = this.#reflector.get(this.#key)?.status
    if (known !== undefined && isDeepStrictEqual(known, status(known))) return
    try {
      await this.#write(status)
      this.#absences = 0
    } catch (error) {
      if (!hasStatus(error, 403, 404)) {
        this.#options.onError()
        throw error
      }
      this.#absences++
      if (this.#absences === meantRefusals)
        this.#options.logger.warn(
          'noConfigurationState',
          { error: describeError(error) },
          'the state is not reported',
        )
      this.#queue.addAfter(this.#key, delayMs(absence, this.#absences - 1))
    }
  }

  async #write(statusFor: (old: object) => object): Promise<void> {
    if (this.#reflector.get(this.#key) === undefined)
      await this.#options.cluster.create(type, this.#object()).catch((error: unknown) => {
        if (!hasStatus(error, 409)) throw error
      })
    const outcome = await this.#writer.write(type, this.#key, (raw) => {
      const old = statusOf(raw)
      const status = statusFor(old)
      return isDeepStrictEqual(old, status) ? undefined : { ...raw, status }
    })
    if (outcome === 'forbidden') this.#queue.addAfter(this.#key, this.#writer.forbiddenMs(type, this.#key))
  }

  #object(): RawObject {
    const { namespace, node, owner } = this.#options
    const reference = owner()
    return {
      apiVersion: type.apiVersion,
      kind: type.kind,
      metadata: {
        namespace,
        name: `speaker-${node}`,
        labels: { 'metallb.io/component-type': 'speaker', ...nodeLabel('metallb.io/node-name', node) },
        ...(reference === undefined ? {} : { ownerReferences: [reference] }),
      },
    }
  }
}

function statusOf({ status }: RawObject): object {
  return typeof status === 'object' && status !== null ? status : {}
}
