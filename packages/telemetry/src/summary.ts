/**
 * A summary: quantiles of the last ten minutes, worked out when they are asked for, of the newest 500 observations in
 * them; what is observed is only noted. An entry of its own, as only one program has them.
 */
import type { Metrics } from './metrics.ts'

const quantiles = [0.5, 0.9, 0.99]
const maxAgeMs = 600_000
const remembered = 500

/** Of one set of labels. */
class Observations {
  readonly labels: Readonly<Record<string, string>>
  sum = 0
  count = 0
  readonly #values = new Float64Array(remembered)
  readonly #times = new Float64Array(remembered)

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels
  }

  add(value: number, now: number): void {
    const at = this.count % remembered
    this.#values[at] = value
    this.#times[at] = now
    this.sum += value
    this.count++
  }

  /** In order. */
  newest(now: number): Float64Array {
    const kept = Math.min(this.count, remembered)
    return this.#values
      .subarray(0, kept)
      .filter((_, at) => now - (this.#times[at] ?? 0) < maxAgeMs)
      .toSorted()
  }
}

export class Summary<L extends string = never> {
  readonly type = 'summary'
  readonly name: string
  readonly help: string
  readonly labelNames: readonly L[]
  readonly #clock: () => number
  readonly #all = new Map<string, Observations>()

  /** @param clock milliseconds, monotonic */
  constructor(name: string, help: string, labelNames: readonly L[], clock: () => number) {
    this.name = name
    this.help = help
    this.labelNames = labelNames
    this.#clock = clock
    if (labelNames.length === 0) this.#all.set('', new Observations({}))
  }

  observe(value: number, labels?: Readonly<Record<L, string>>): void {
    const key = this.labelNames.map((label) => labels?.[label] ?? '').join(' ')
    let observations = this.#all.get(key)
    if (observations === undefined) {
      observations = new Observations({ ...labels })
      this.#all.set(key, observations)
    }
    observations.add(value, this.#clock())
  }

  /** In the shape in which prom-client's registry asks for it. */
  get() {
    const { name, help, type } = this
    const values = [...this.#all.values()].flatMap((one) => this.#valuesOf(one))
    return Promise.resolve({ name, help, type, values, aggregator: 'sum' })
  }

  #valuesOf(observations: Observations) {
    const { labels, sum, count } = observations
    const newest = observations.newest(this.#clock())
    const at = (quantile: number) =>
      newest[Math.min(newest.length - 1, Math.floor(newest.length * quantile))] ?? 0
    return [
      ...quantiles.map((quantile) => ({ labels: { quantile, ...labels }, value: at(quantile) })),
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}

export function makeSummary<L extends string = never>(
  metrics: Metrics,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): Summary<L> {
  const summary = new Summary(name, help, labelNames, () => performance.now())
  metrics.register(summary)
  return summary
}
