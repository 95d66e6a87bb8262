/**
 * prom-client by its parts: its index also loads Node's cluster, HTTP and performance modules, 10 MB of memory for
 * what is not used here.
 */
import type * as prometheus from 'prom-client'
import CounterPart from 'prom-client/lib/counter.js'
import GaugePart from 'prom-client/lib/gauge.js'
import HistogramPart from 'prom-client/lib/histogram.js'
import RegistryPart from 'prom-client/lib/registry.js'

declare module 'prom-client' {
  // A registry shows whatever answers with a metric's values.
  interface Registry<BoundRegistryContentType extends RegistryContentType = PrometheusContentType> {
    registerMetric(metric: { readonly name: string; get(): Promise<object> }): void
  }
}

export const Counter: typeof prometheus.Counter = CounterPart
export type Counter<L extends string = string> = prometheus.Counter<L>
export const Gauge: typeof prometheus.Gauge = GaugePart
export type Gauge<L extends string = string> = prometheus.Gauge<L>
export const Histogram: typeof prometheus.Histogram = HistogramPart
export type Histogram<L extends string = string> = prometheus.Histogram<L>
export const Registry: typeof prometheus.Registry = RegistryPart
export type Registry = prometheus.Registry
