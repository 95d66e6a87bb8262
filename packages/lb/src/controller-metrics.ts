/**
 * The controller's metrics, under the names that dashboards and alerts for MetalLB know. What only a leader knows is
 * there only while this replica leads: of a standby nobody should hear that it has no configuration.
 */
import type { Config } from '@landfall/metallb'
import type { Metrics } from '@landfall/telemetry'
import type { LedgerView } from './allocation/ledger.ts'
import type { RefusalReason } from './allocation/outcome.ts'
import { poolUsage } from './pool-usage.ts'

export class ControllerMetrics {
  readonly #usage
  readonly #updates
  readonly #updateErrors
  readonly #loaded
  readonly #stale
  readonly #without
  readonly #allocated

  constructor(metrics: Metrics) {
    const gauge = (name: string, help: string) => metrics.gauge(`metallb_allocator_${name}`, help, ['pool'])
    this.#usage = {
      total: gauge('addresses_total', 'Number of usable addresses of the pool'),
      total4: gauge('ipv4_addresses_total', 'Number of usable IPv4 addresses of the pool'),
      total6: gauge('ipv6_addresses_total', 'Number of usable IPv6 addresses of the pool'),
      used: gauge('addresses_in_use_total', 'Number of addresses in use of the pool'),
      used4: gauge('ipv4_addresses_in_use_total', 'Number of IPv4 addresses in use of the pool'),
      used6: gauge('ipv6_addresses_in_use_total', 'Number of IPv6 addresses in use of the pool'),
    }
    this.#updates = metrics.counter('metallb_k8s_client_updates_total', 'Number of changes of objects seen')
    this.#updateErrors = metrics.counter('metallb_k8s_client_update_errors_total', 'Number of failed writes')
    this.#loaded = metrics.gauge('metallb_k8s_client_config_loaded_bool', '1 once a configuration was read')
    this.#stale = metrics.gauge('metallb_k8s_client_config_stale_bool', '1 while any object is refused')
    this.#allocated = metrics.gauge(
      'metallb_allocator_services_allocated_total',
      'Number of Services that have an address',
    )
    this.#without = metrics.gauge(
      'landfall_lb_services_without_address',
      'Number of Services that have no address, by reason',
      ['reason'],
    )
    this.endTerm()
  }

  /** This replica leads, and has read nothing yet. */
  startTerm(): void {
    this.setConfig(false, false)
  }

  endTerm(): void {
    for (const gauge of [this.#loaded, this.#stale, this.#allocated]) gauge.remove()
    for (const gauge of [this.#without, ...Object.values(this.#usage)]) gauge.reset()
  }

  sawChanges(count: number): void {
    this.#updates.inc(count)
  }

  failedWrite(): void {
    this.#updateErrors.inc()
  }

  setConfig(loaded: boolean, refused: boolean): void {
    this.#loaded.set(loaded ? 1 : 0)
    this.#stale.set(refused ? 1 : 0)
  }

  setServices(withAddress: number, without: ReadonlyMap<RefusalReason, number>): void {
    this.#allocated.set(withAddress)
    this.#without.reset()
    for (const [reason, count] of without) this.#without.set({ reason }, count)
  }

  setPools(config: Config, ledger: LedgerView): void {
    for (const gauge of Object.values(this.#usage)) gauge.reset()
    for (const pool of config.pools) {
      const label = { pool: pool.name }
      const { v4, v6 } = poolUsage(pool, config, ledger)
      this.#usage.total.set(label, Number(v4.total + v6.total))
      this.#usage.total4.set(label, Number(v4.total))
      this.#usage.total6.set(label, Number(v6.total))
      this.#usage.used.set(label, Number(v4.assigned + v6.assigned))
      this.#usage.used4.set(label, Number(v4.assigned))
      this.#usage.used6.set(label, Number(v6.assigned))
    }
  }
}
