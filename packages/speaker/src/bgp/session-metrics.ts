/**
 * The metrics of BGP sessions, by peer (`address:port`) and VRF, under the names of MetalLB's own engine and of its
 * FRR mode, which are the same where both have one.
 */
import type { Metrics } from '@landfall/telemetry'
import type { Message } from './codec/index.ts'

export interface PeerMetrics {
  up(up: boolean): void
  message(direction: 'sent' | 'received', kind: Message['kind']): void
  /** `wanted`: what should be announced, be it so or not; MetalLB calls that pending. */
  prefixes(announced: number, wanted: number): void
  unsent(count: number): void
}

const names = ['peer', 'vrf'] as const

export interface PeerLabels {
  readonly peer: string
  readonly vrf: string
}

export class SessionMetrics {
  readonly #up
  readonly #updates
  readonly #announced
  readonly #pending
  readonly #unsent
  readonly #total
  readonly #kinds

  constructor(metrics: Metrics) {
    const gauge = (name: string, help: string) => metrics.gauge(name, help, names)
    const counter = (name: string, help: string) => metrics.counter(`metallb_bgp_${name}`, help, names)
    this.#up = gauge('metallb_bgp_session_up', 'BGP session state (1 is up, 0 is down)')
    this.#updates = counter('updates_total', 'Number of BGP UPDATE messages sent')
    this.#announced = gauge(
      'metallb_bgp_announced_prefixes_total',
      'Number of prefixes currently being advertised on the BGP session',
    )
    this.#pending = gauge(
      'metallb_bgp_pending_prefixes_total',
      'Number of prefixes that should be advertised on the BGP session',
    )
    this.#unsent = gauge(
      'landfall_bgp_unsent_prefixes',
      'Number of prefixes that the BGP session cannot carry; the log names them and the reasons',
    )
    this.#total = {
      sent: counter('total_sent', 'Number of BGP messages sent'),
      received: counter('total_received', 'Number of BGP messages received'),
    }
    const kind = (name: string, what: string) => ({
      sent: counter(`${name}_sent`, `Number of BGP ${what} messages sent`),
      received: counter(`${name}_received`, `Number of BGP ${what} messages received`),
    })
    this.#kinds = {
      open: kind('opens', 'OPEN'),
      notification: kind('notifications', 'NOTIFICATION'),
      keepalive: kind('keepalives', 'KEEPALIVE'),
      routeRefresh: kind('route_refresh', 'ROUTE-REFRESH'),
      update: {
        sent: this.#updates,
        received: counter('updates_total_received', 'Number of BGP UPDATE messages received'),
      },
    }
  }

  of(labels: PeerLabels): PeerMetrics {
    for (const counter of this.#counters()) counter.inc(labels, 0)
    return {
      up: (up) => this.#up.set(labels, up ? 1 : 0),
      message: (direction, kind) => {
        this.#kinds[kind][direction].inc(labels)
        this.#total[direction].inc(labels)
      },
      prefixes: (announced, wanted) => {
        this.#announced.set(labels, announced)
        this.#pending.set(labels, wanted)
      },
      unsent: (count) => this.#unsent.set(labels, count),
    }
  }

  remove(labels: PeerLabels): void {
    const gauges = [this.#up, this.#announced, this.#pending, this.#unsent]
    for (const metric of [...gauges, ...this.#counters()]) metric.remove(labels)
  }

  #counters() {
    return [...Object.values(this.#kinds), this.#total].flatMap(({ sent, received }) => [sent, received])
  }
}
