/** What the xDS server counts. */
import type { Counter, Gauge, Metrics } from '@landfall/telemetry'
import { type ResourceType, resourceTypes } from './resource.ts'
import type { Settlement } from './session/client.ts'

export class XdsMetrics {
  readonly #streams: Gauge
  readonly #metrics: Metrics
  readonly #responses: Counter<'type'>
  readonly #bytes: Counter<'type'>
  readonly #settled: Counter<'type' | 'outcome'>
  readonly #refused: Counter<'type'>
  readonly #gateTimeouts: Counter
  #notAfter: Gauge | undefined

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    this.#streams = metrics.gauge('landfall_xds_streams', 'Open streams of Envoys')
    this.#responses = metrics.counter('landfall_xds_responses_total', 'Responses sent to Envoys', ['type'])
    this.#bytes = metrics.counter('landfall_xds_sent_bytes_total', 'Bytes sent to Envoys', ['type'])
    this.#settled = metrics.counter('landfall_xds_acknowledgements_total', 'Answers of Envoys to responses', [
      'type',
      'outcome',
    ])
    this.#refused = metrics.counter(
      'landfall_xds_refused_resources_total',
      'Contents that an Envoy refused',
      ['type'],
    )
    // There from the start, so that the first refusal is an increase.
    for (const type of resourceTypes) this.#refused.inc({ type }, 0)
    this.#gateTimeouts = metrics.counter(
      'landfall_xds_order_timeouts_total',
      'Updates sent although what they refer to was not acknowledged in time',
    )
  }

  /** Without TLS there is no such figure, rather than one of 0. */
  certificate(notAfter: Date): void {
    this.#notAfter ??= this.#metrics.gauge(
      'landfall_xds_certificate_not_after_seconds',
      'When the certificate shown to Envoys ends, in seconds since 1970.',
    )
    this.#notAfter.set(notAfter.getTime() / 1000)
  }

  streams(count: number): void {
    this.#streams.set(count)
  }

  sent(type: ResourceType, bytes: number): void {
    this.#responses.inc({ type })
    this.#bytes.inc({ type }, bytes)
  }

  settled(type: ResourceType, outcome: Settlement['kind']): void {
    this.#settled.inc({ type, outcome })
  }

  refused(type: ResourceType): void {
    this.#refused.inc({ type })
  }

  gateTimeouts(count: number): void {
    this.#gateTimeouts.inc(count)
  }
}
