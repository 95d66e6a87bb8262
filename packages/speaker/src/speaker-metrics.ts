/** The speaker's metrics, under the names that dashboards and alerts for MetalLB know; BGP has its own. */
import type { Gauge, Metrics } from '@landfall/telemetry'
import { changeReasons } from './layer2/codec/bodies.ts'
import type { Counts, Layer2State, OwnerChange } from './layer2/messages.ts'

/** Seconds. */
const takeoverBuckets = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 5, 10]

export class SpeakerMetrics {
  readonly announced: Gauge<'service' | 'protocol' | 'node' | 'ip'>
  readonly #counted = new Set<string>()
  readonly #requests
  readonly #responses
  readonly #gratuitous
  readonly #updates
  readonly #updateErrors
  readonly #loaded
  readonly #stale
  readonly #members
  readonly #heard
  readonly #ownerChanges
  readonly #takeovers
  readonly #refused
  readonly #authenticated

  constructor(metrics: Metrics) {
    const byIp = (name: string, help: string) => metrics.counter(`metallb_layer2_${name}`, help, ['ip'])
    this.announced = metrics.gauge(
      'metallb_speaker_announced',
      'Services announced from this node. This is desired state, it does not guarantee that the routing protocols have converged.',
      ['service', 'protocol', 'node', 'ip'],
    )
    this.#requests = byIp('requests_received', 'Number of layer 2 requests received for owned addresses')
    this.#responses = byIp('responses_sent', 'Number of layer 2 responses sent for owned addresses')
    this.#gratuitous = byIp(
      'gratuitous_sent',
      'Number of unasked layer 2 announcements sent for owned addresses',
    )
    this.#updates = metrics.counter('metallb_k8s_client_updates_total', 'Number of changes of objects seen')
    this.#updateErrors = metrics.counter('metallb_k8s_client_update_errors_total', 'Number of failed writes')
    this.#loaded = metrics.gauge('metallb_k8s_client_config_loaded_bool', '1 once a configuration was read')
    this.#stale = metrics.gauge('metallb_k8s_client_config_stale_bool', '1 while any object is refused')
    this.#members = metrics.gauge('landfall_layer2_members', 'Speakers by state, this one left out', [
      'state',
    ])
    this.#heard = metrics.gauge(
      'landfall_layer2_heartbeat_age_seconds',
      'Time since a speaker was last heard, of those that this one watches',
      ['node'],
    )
    this.#ownerChanges = metrics.counter(
      'landfall_layer2_owner_changes_total',
      'Number of addresses that this node took over, or kept after a conflict, by reason',
      ['reason'],
    )
    // There from the start, so that the first one is an increase.
    for (const reason of changeReasons) this.#ownerChanges.inc({ reason }, 0)
    this.#takeovers = metrics.histogram(
      'landfall_layer2_takeover_seconds',
      'For how long nobody had answered for an address that this node took over; planned moves left out',
      [],
      takeoverBuckets,
    )
    this.#refused = metrics.counter('landfall_layer2_heartbeats_refused_total', 'Heartbeats not believed', [
      'reason',
    ])
    this.#authenticated = metrics.gauge(
      'landfall_layer2_heartbeats_authenticated_bool',
      '1 when heartbeats are authenticated with the memberlist secret',
    )
  }

  sawUpdates(count: number): void {
    this.#updates.inc(count)
  }

  failedWrite(): void {
    this.#updateErrors.inc()
  }

  setConfig(loaded: boolean, refused: boolean): void {
    this.#loaded.set(loaded ? 1 : 0)
    this.#stale.set(refused ? 1 : 0)
  }

  setAuthenticated(authenticated: boolean): void {
    this.#authenticated.set(authenticated ? 1 : 0)
  }

  setMembers(members: Layer2State['members']): void {
    for (const state of ['joining', 'serving', 'leaving', 'left', 'dead', 'stranger', 'unwatched'] as const)
      this.#members.set({ state }, members.filter((member) => member.state === state).length)
    this.#heard.reset()
    for (const { node, state, heardMs } of members)
      if (heardMs !== undefined && state !== 'unwatched') this.#heard.set({ node }, heardMs / 1000)
  }

  changedOwner(changes: readonly OwnerChange[]): void {
    for (const { reason, silentMs } of changes) {
      this.#ownerChanges.inc({ reason })
      if (silentMs > 0) this.#takeovers.observe(silentMs / 1000)
    }
  }

  /** What was counted of an address may come later than its end: then it is left out. */
  count(counts: Readonly<Record<string, Counts>>, isKnown: (ip: string) => boolean): void {
    for (const [ip, { requests, replies, gratuitous }] of Object.entries(counts)) {
      if (!isKnown(ip)) continue
      this.#counted.add(ip)
      this.#requests.inc({ ip }, requests)
      this.#responses.inc({ ip }, replies)
      this.#gratuitous.inc({ ip }, gratuitous)
    }
  }

  /** The address is nobody's any more. */
  forget(ip: string): void {
    if (!this.#counted.delete(ip)) return
    for (const counter of [this.#requests, this.#responses, this.#gratuitous]) counter.remove({ ip })
  }

  refused(reason: string, count: number): void {
    this.#refused.inc({ reason }, count)
  }
}
