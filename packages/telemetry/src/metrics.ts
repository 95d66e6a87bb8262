/** Metrics in the Prometheus text format, in a registry of their own. */
import { addProcessMetrics } from './process-metrics.ts'
import { Counter, Gauge, Histogram, Registry } from './prometheus.ts'

export type { Counter, Gauge, Histogram } from './prometheus.ts'

export class Metrics {
  readonly #registry = new Registry()

  get registry(): Registry {
    return this.#registry
  }

  /** For a kind of metric that is made elsewhere: shown as it answers `get`. */
  register(metric: { readonly name: string; get(): Promise<object> }): void {
    this.#registry.registerMetric(metric)
  }

  /** @param version shown by `landfall_build_info` */
  constructor(version: string) {
    addProcessMetrics(this.#registry)
    this.gauge('landfall_build_info', 'The running version, always 1.', ['version']).set({ version }, 1)
  }

  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  gauge<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }

  /** @param buckets upper bounds, in the metric's unit */
  histogram<L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets?: readonly number[],
  ): Histogram<L> {
    const bounds = buckets === undefined ? {} : { buckets: [...buckets] }
    return new Histogram({ name, help, labelNames, registers: [this.#registry], ...bounds })
  }

  readonly contentType: string = this.#registry.contentType

  exposition(): Promise<string> {
    return this.#registry.metrics()
  }
}
