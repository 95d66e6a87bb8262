/**
 * What BFD observed, told: log lines, and the metrics of FRR's BFD daemon under MetalLB's names, by peer and VRF. Of sessions
 * from several source addresses with one router all have to be up for its series to be.
 */
import type { Counter, Gauge, Logger, Metrics } from '@landfall/telemetry'
import type { BfdObstacle, FromBfd, SessionState } from '../bfd/index.ts'
import type { PeerLabels } from './session-metrics.ts'

type Labels = 'peer' | 'vrf'

export interface BfdStatus {
  readonly state: SessionState
  /** Why it cannot begin; undefined: it can. */
  readonly obstacle: BfdObstacle | undefined
}

const names: readonly Labels[] = ['peer', 'vrf']
const initial: BfdStatus = { state: 'down', obstacle: undefined }

export class BfdReport {
  readonly #logger: Logger
  readonly #up: Gauge<Labels>
  readonly #ups: Counter<Labels>
  readonly #downs: Counter<Labels>
  readonly #notifications: Counter<Labels>
  readonly #counts
  readonly #refused: Counter<'reason'>
  readonly #statuses = new Map<string, { readonly status: BfdStatus; readonly labels: PeerLabels }>()

  constructor(logger: Logger, metrics: Metrics) {
    const counter = (name: string, help: string) => metrics.counter(`metallb_bfd_${name}`, help, names)
    this.#logger = logger
    this.#up = metrics.gauge('metallb_bfd_session_up', 'BFD session state (1 is up, 0 is down)', names)
    this.#ups = counter('session_up_events', 'Number of times the BFD session came up')
    this.#downs = counter('session_down_events', 'Number of times the BFD session went down')
    this.#notifications = counter('zebra_notifications', 'Number of changes that BGP was told of')
    this.#counts = {
      controlIn: counter('control_packet_input', 'Number of BFD control packets received'),
      controlOut: counter('control_packet_output', 'Number of BFD control packets sent'),
      echoIn: counter('echo_packet_input', 'Number of BFD echo packets that came back'),
      echoOut: counter('echo_packet_output', 'Number of BFD echo packets sent'),
    }
    this.#refused = metrics.counter(
      'landfall_bfd_packets_refused_total',
      'BFD packets that were not believed',
      ['reason'],
    )
  }

  /** undefined: the peer has no BFD session. */
  of(id: string): BfdStatus | undefined {
    return this.#statuses.get(id)?.status
  }

  /** `labelsOf` gives the labels of a peer by its name, while there is one. */
  observe(message: FromBfd, labelsOf: (id: string) => PeerLabels | undefined): void {
    if (message.kind === 'counts') return this.#count(message, labelsOf)
    const labels = labelsOf(message.id)
    if (labels === undefined) return
    const { id } = message
    const before = this.#statuses.get(id)?.status ?? initial
    switch (message.kind) {
      case 'state':
        this.#set(id, { state: message.state, obstacle: undefined }, labels)
        return this.#changed(labels, before.state, message)
      case 'obstacle':
        this.#set(id, { state: 'down', obstacle: message.obstacle }, labels)
        if (before.obstacle === message.obstacle) return
        this.#logger.warn('bfdUnavailable', { ...labels, reason: message.obstacle }, message.message)
        return
      case 'shut':
        this.#logger.warn(
          'bfdShut',
          { ...labels },
          'BFD ended the connection, since the main thread was busy',
        )
    }
  }

  forget(id: string, labels: PeerLabels): void {
    if (!this.#statuses.delete(id)) return
    if (this.#of(labels).length > 0) return this.#show(labels)
    const all = [this.#ups, this.#downs, this.#notifications, ...Object.values(this.#counts)]
    for (const metric of [this.#up, ...all]) metric.remove({ ...labels })
  }

  #set(id: string, status: BfdStatus, labels: PeerLabels): void {
    this.#statuses.set(id, { status, labels })
    this.#show(labels)
  }

  #show(labels: PeerLabels): void {
    const up = this.#of(labels).every(({ state }) => state === 'up')
    this.#up.set({ ...labels }, up ? 1 : 0)
  }

  #of({ peer, vrf }: PeerLabels): readonly BfdStatus[] {
    return [...this.#statuses.values()].flatMap(({ status, labels }) =>
      labels.peer === peer && labels.vrf === vrf ? status : [],
    )
  }

  #changed(
    labels: PeerLabels,
    before: SessionState,
    { state, diagnostic }: FromBfd & { kind: 'state' },
  ): void {
    const label = { ...labels }
    this.#notifications.inc(label)
    if (state === 'up' && before !== 'up') {
      this.#ups.inc(label)
      this.#logger.info('bfdUp', label, 'BFD session up')
    } else if (state !== 'up' && before === 'up') {
      this.#downs.inc(label)
      this.#logger.warn('bfdDown', { ...label, state, diagnostic }, 'BFD session down')
    }
  }

  #count(
    { sessions, refused }: FromBfd & { kind: 'counts' },
    labelsOf: (id: string) => PeerLabels | undefined,
  ): void {
    for (const [id, counts] of Object.entries(sessions)) {
      const labels = labelsOf(id)
      if (labels === undefined) continue
      for (const name of ['controlIn', 'controlOut', 'echoIn', 'echoOut'] as const)
        this.#counts[name].inc({ ...labels }, counts[name])
    }
    for (const [reason, count] of Object.entries(refused)) this.#refused.inc({ reason }, count)
  }
}
