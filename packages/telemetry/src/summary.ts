/** A summary: quantiles of the last ten minutes, computed here. An entry of its own, as only one program has them. */

import type { Summary as SummaryType } from 'prom-client'
import SummaryPart from 'prom-client/lib/summary.js'
import type { Metrics } from './metrics.ts'

export type Summary<L extends string = never> = SummaryType<L>

export function makeSummary<L extends string = never>(
  metrics: Metrics,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): Summary<L> {
  return new SummaryPart({
    name,
    help,
    labelNames,
    percentiles: [0.5, 0.9, 0.99],
    maxAgeSeconds: 600,
    ageBuckets: 5,
    registers: [metrics.registry],
  })
}
