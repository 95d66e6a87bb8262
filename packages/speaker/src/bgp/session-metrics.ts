/** The metrics of BGP sessions, by peer (`address:port`), under MetalLB's names. */
import type { Metrics } from '@landfall/telemetry'

export interface PeerMetrics {
  up(up: boolean): void
  sent(updates: number): void
  prefixes(announced: number, pending: number): void
  unsent(count: number): void
}

export class SessionMetrics {
  readonly #up
  readonly #updates
  readonly #announced
  readonly #pending
  readonly #unsent

  constructor(metrics: Metrics) {
    this.#up = metrics.gauge('metallb_bgp_session_up', 'BGP session state (1 is up, 0 is down)', ['peer'])
    this.#updates = metrics.counter('metallb_bgp_updates_total', 'Number of BGP UPDATE messages sent', [
      'peer',
    ])
    this.#announced = metrics.gauge(
      'metallb_bgp_announced_prefixes_total',
      'Number of prefixes currently being advertised on the BGP session',
      ['peer'],
    )
    this.#pending = metrics.gauge(
      'metallb_bgp_pending_prefixes_total',
      'Number of prefixes that should be advertised on the BGP session',
      ['peer'],
    )
    this.#unsent = metrics.gauge(
      'landfall_bgp_unsent_prefixes',
      'Number of prefixes that the BGP session cannot carry; the log names them and the reasons',
      ['peer'],
    )
  }

  of(peer: string): PeerMetrics {
    const labels = { peer }
    this.#updates.inc(labels, 0)
    return {
      up: (up) => this.#up.set(labels, up ? 1 : 0),
      sent: (updates) => this.#updates.inc(labels, updates),
      prefixes: (announced, pending) => {
        this.#announced.set(labels, announced)
        this.#pending.set(labels, pending)
      },
      unsent: (count) => this.#unsent.set(labels, count),
    }
  }

  remove(peer: string): void {
    const all = [this.#up, this.#updates, this.#announced, this.#pending, this.#unsent]
    for (const metric of all) metric.remove({ peer })
  }
}
