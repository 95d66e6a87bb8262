/**
 * What dashboards for Go's gRPC servers read: calls by service and method, under the names that go-grpc-prometheus gives
 * them. In: a stream that begins, its messages, its end. Out: counters.
 */
import { status } from '@grpc/grpc-js'
import type { Counter, Metrics } from '@landfall/telemetry'

type Label = 'grpc_type' | 'grpc_service' | 'grpc_method'

/** Of one stream. */
export interface CallCounts {
  received(): void
  sent(): void
  /** Once. */
  handled(code: status): void
}

export interface Method {
  readonly service: string
  readonly method: string
}

export class CallMetrics {
  readonly #started: Counter<Label>
  readonly #handled: Counter<Label | 'grpc_code'>
  readonly #received: Counter<Label>
  readonly #sent: Counter<Label>

  constructor(metrics: Metrics) {
    const labels = ['grpc_type', 'grpc_service', 'grpc_method'] as const
    const counter = (what: string, help: string) => metrics.counter(`grpc_server_${what}_total`, help, labels)
    this.#started = counter('started', 'Calls that began.')
    this.#handled = metrics.counter('grpc_server_handled_total', 'Calls that ended, by how.', [
      ...labels,
      'grpc_code',
    ])
    this.#received = counter('msg_received', 'Messages of clients.')
    this.#sent = counter('msg_sent', 'Messages to clients.')
  }

  /** There from the start, so that the first one is an increase. */
  register(methods: readonly Method[]): void {
    for (const method of methods) {
      const labels = labelsOf(method)
      for (const counter of [this.#started, this.#received, this.#sent]) counter.inc(labels, 0)
      this.#handled.inc({ ...labels, grpc_code: codeName(status.OK) }, 0)
    }
  }

  started(method: Method): CallCounts {
    const labels = labelsOf(method)
    this.#started.inc(labels)
    return {
      received: () => this.#received.inc(labels),
      sent: () => this.#sent.inc(labels),
      handled: (code) => this.#handled.inc({ ...labels, grpc_code: codeName(code) }),
    }
  }
}

function labelsOf({ service, method }: Method): Readonly<Record<Label, string>> {
  return { grpc_type: 'bidi_stream', grpc_service: service, grpc_method: method }
}

/** As Go writes it: `OK`, `Canceled`, `InvalidArgument`. */
function codeName(code: status): string {
  if (code === status.OK) return 'OK'
  if (code === status.CANCELLED) return 'Canceled'
  return (status[code] ?? 'UNKNOWN')
    .split('_')
    .map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
    .join('')
}
