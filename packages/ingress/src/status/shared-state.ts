/**
 * What concerns all hosts and is told on none: names of the configuration that cannot be used, and listeners that Envoys
 * refuse. Each change is a log line, an Event on the Service in front of Envoy, and a word to whoever keeps the
 * configuration's conditions.
 */
import type { EventRecorder } from '@landfall/kube'
import type { Service } from '@landfall/kube/model'
import type { Gauge, Logger, Metrics } from '@landfall/telemetry'
import type { Problem } from '../dag/problem.ts'

export interface RefusedListener {
  readonly name: string
  /** Envoy's words. */
  readonly message: string
}

export interface SharedFacts {
  readonly unresolved: readonly Problem[]
  readonly refused: readonly RefusedListener[]
}

export interface SharedStateOptions {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly events: Pick<EventRecorder, 'record'>
  /** In front of Envoy; undefined: there is none, and no Event either. */
  readonly service: () => Service | undefined
  readonly onChange: (facts: SharedFacts) => void
}

export const noFacts: SharedFacts = { unresolved: [], refused: [] }

export function sharedMetrics(metrics: Metrics): Gauge {
  return metrics.gauge(
    'landfall_configuration_unresolved_references',
    'What the configuration names for all hosts and cannot be used.',
  )
}

export class SharedState {
  readonly #options: SharedStateOptions
  readonly #unresolved: Gauge
  readonly #refusedListeners = new Map<string, string>()
  #problems: readonly Problem[] = []

  constructor(options: SharedStateOptions) {
    this.#options = options
    this.#unresolved = sharedMetrics(options.metrics)
  }

  /** All that is wrong at present; what is not there any more is well again. */
  references(problems: readonly Problem[]): void {
    const before = new Set(this.#problems.map(({ message }) => message))
    const after = new Set(problems.map(({ message }) => message))
    const [come, gone] = [
      problems.filter(({ message }) => !before.has(message)),
      [...before].filter((message) => !after.has(message)),
    ]
    if (come.length + gone.length === 0) return
    this.#problems = problems
    this.#unresolved.set(problems.length)
    const { logger } = this.#options
    for (const { reason, message } of come) {
      logger.warn('configurationReferenceBroken', { problem: message, reason })
      this.#event(reason, message)
    }
    for (const message of gone) logger.info('configurationReferenceWell', { problem: message })
    this.#tell()
  }

  /** Of a resource that is no listener nothing is kept. */
  refused(type: string, name: string, message: string): void {
    if (type !== 'listeners' || this.#refusedListeners.get(name) === message) return
    this.#refusedListeners.set(name, message)
    this.#event('EnvoyRefused', `Envoy refuses listener "${name}" and goes on with what it had: ${message}`)
    this.#tell()
  }

  cleared(type: string, name: string): void {
    if (type === 'listeners' && this.#refusedListeners.delete(name)) this.#tell()
  }

  #tell(): void {
    const refused = [...this.#refusedListeners].map(([name, message]) => ({ name, message }))
    this.#options.onChange({ unresolved: this.#problems, refused })
  }

  #event(reason: string, message: string): void {
    const service = this.#options.service()
    if (service === undefined) return
    const { namespace, name, uid } = service.meta
    const about = { apiVersion: 'v1', kind: 'Service', namespace, name, uid }
    this.#options.events.record(about, { type: 'Warning', reason, message })
  }
}
