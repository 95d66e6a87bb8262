/**
 * The metrics of BGP sessions, by peer (`address:port`) and VRF, under the names of MetalLB's own engine and of its
 * FRR mode, which are the same where both have one. Sessions from several source addresses with one router share its series:
 * it is up when all of them are, and counts what all of them carry.
 */
import type { Metrics } from '@landfall/telemetry'
import type { Message } from './codec/index.ts'

export interface PeerMetrics {
  up(up: boolean): void
  message(direction: 'sent' | 'received', kind: Message['kind']): void
  /** `wanted`: what should be announced, be it so or not; MetalLB calls that pending. */
  prefixes(announced: number, wanted: number): void
  unsent(count: number): void
  /** The session is no more: nothing that comes later counts. */
  remove(): void
}

/** Of one session. */
interface Gauged {
  up: boolean
  announced: number
  wanted: number
  unsent: number
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
  /** Those of each series. */
  readonly #gauged = new Map<string, Set<Gauged>>()

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
    const key = `${labels.vrf} ${labels.peer}`
    const all = this.#gauged.get(key) ?? new Set()
    this.#gauged.set(key, all)
    const own: Gauged = { up: false, announced: 0, wanted: 0, unsent: 0 }
    all.add(own)
    const set = (more: Partial<Gauged>): void => {
      if (!all.has(own)) return
      Object.assign(own, more)
      this.#show(labels, all)
    }
    return {
      up: (up) => set({ up }),
      message: (direction, kind) => {
        if (!all.has(own)) return
        this.#kinds[kind][direction].inc(labels)
        this.#total[direction].inc(labels)
      },
      prefixes: (announced, wanted) => set({ announced, wanted }),
      unsent: (unsent) => set({ unsent }),
      remove: () => {
        all.delete(own)
        if (all.size > 0) return this.#show(labels, all)
        this.#gauged.delete(key)
        for (const metric of [...this.#gauges(), ...this.#counters()]) metric.remove(labels)
      },
    }
  }

  #show(labels: PeerLabels, all: ReadonlySet<Gauged>): void {
    const sum = (what: 'announced' | 'wanted' | 'unsent') =>
      [...all].reduce((total, one) => total + one[what], 0)
    this.#up.set(labels, [...all].every(({ up }) => up) ? 1 : 0)
    this.#announced.set(labels, sum('announced'))
    this.#pending.set(labels, sum('wanted'))
    this.#unsent.set(labels, sum('unsent'))
  }

  #gauges() {
    return [this.#up, this.#announced, this.#pending, this.#unsent]
  }

  #counters() {
    return [...Object.values(this.#kinds), this.#total].flatMap(({ sent, received }) => [sent, received])
  }
}
