/** What `serve` counts, under the names that Contour's dashboards read. */
import type { Metrics } from '@landfall/telemetry'
import { makeSummary } from '@landfall/telemetry/summary'
import type { Verdict } from '../engine/verdicts.ts'
import { isOurIngress, isOurProxy } from '../model/ingress-class.ts'
import type { World } from '../model/objects.ts'
import { proxyState } from '../status/proxy-status.ts'
import type { StatusKind, StatusOutcome } from '../status/status-sync.ts'

const kinds: Readonly<Record<keyof World | 'slice', string>> = {
  ingress: 'Ingress',
  httpProxy: 'HTTPProxy',
  service: 'Service',
  secret: 'Secret',
  delegation: 'TLSCertificateDelegation',
  extensionService: 'ExtensionService',
  slice: 'EndpointSlice',
}

export class ServeMetrics {
  readonly #proxies
  readonly #roots
  readonly #valid
  readonly #invalid
  readonly #orphaned
  readonly #objects
  readonly #chains
  readonly #events
  readonly #rebuilds
  readonly #rebuildTime
  readonly #rebuildSeconds
  readonly #publishSeconds
  readonly #statusSeconds
  readonly #conflicts
  readonly #status

  constructor(metrics: Metrics, version: string) {
    const build = metrics.gauge('contour_build_info', 'The running version, always 1.', [
      'branch',
      'revision',
      'version',
    ])
    build.set({ branch: '', revision: '', version }, 1)
    this.#proxies = metrics.gauge('contour_httpproxy', 'HTTPProxies.', ['namespace'])
    this.#roots = metrics.gauge('contour_httpproxy_root', 'Root HTTPProxies.', ['namespace'])
    this.#valid = metrics.gauge('contour_httpproxy_valid', 'Valid HTTPProxies.', ['namespace', 'vhost'])
    this.#invalid = metrics.gauge('contour_httpproxy_invalid', 'Invalid HTTPProxies.', ['namespace', 'vhost'])
    this.#orphaned = metrics.gauge('contour_httpproxy_orphaned', 'Orphaned HTTPProxies.', ['namespace'])
    this.#objects = metrics.gauge('contour_dag_cache_object', 'Objects that are observed.', ['kind'])
    this.#chains = metrics.gauge(
      'landfall_https_filter_chains',
      'Filter chains of the secure listener; above 1,000 tls.certificates: on-demand is cheaper.',
    )
    this.#events = metrics.counter('contour_eventhandler_operation_total', 'Changes of objects.', [
      'op',
      'kind',
    ])
    this.#rebuilds = metrics.counter('contour_dagrebuild_total', 'Batches of changes that were translated.')
    this.#rebuildTime = metrics.gauge('contour_dagrebuild_timestamp', 'When a batch was last translated.')
    this.#rebuildSeconds = makeSummary(metrics, 'contour_dagrebuild_seconds', 'Time a batch took.')
    this.#publishSeconds = makeSummary(
      metrics,
      'contour_cachehandler_onupdate_duration_seconds',
      'Time it took to hand a batch to the xDS server.',
    )
    this.#statusSeconds = makeSummary(
      metrics,
      'contour_status_update_duration_seconds',
      'Time a look at the status of an object took, with the write if there was one.',
      ['error', 'kind'],
    )
    this.#conflicts = metrics.counter(
      'contour_status_update_conflict_total',
      'Objects that changed while their status was written.',
      ['kind'],
    )
    const perKind = (suffix: string, help: string) =>
      metrics.counter(`contour_status_update_${suffix}`, help, ['kind'])
    this.#status = {
      all: perKind('total', 'Looks at an object whether its status is right.'),
      written: perKind('success_total', 'Status writes.'),
      failed: perKind('failed_total', 'Status writes that failed.'),
      unchanged: perKind('noop_total', 'Looks that found the status right.'),
    }
  }

  observed(kind: keyof World | 'slice', before: unknown, after: unknown): void {
    const op = before === undefined ? 'add' : after === undefined ? 'delete' : 'update'
    this.#events.inc({ op, kind: kinds[kind] })
  }

  translated(seconds: number, now: Date): void {
    this.#rebuilds.inc()
    this.#rebuildTime.set(now.getTime() / 1000)
    this.#rebuildSeconds.observe(seconds)
  }

  published(seconds: number): void {
    this.#publishSeconds.observe(seconds)
  }

  statusConflict(kind: string): void {
    this.#conflicts.inc({ kind })
  }

  statusOutcome(kind: StatusKind, outcome: StatusOutcome, seconds: number): void {
    this.#statusSeconds.observe(seconds, { error: String(outcome === 'failed'), kind: kinds[kind] })
    this.#status.all.inc({ kind: kinds[kind] })
    this.#status[outcome].inc({ kind: kinds[kind] })
  }

  /** Counts the objects, but those of other classes; before each reading. */
  count(world: World, classes: readonly string[], chains: number, verdict: (key: string) => Verdict): void {
    this.#chains.set(chains)
    for (const gauge of [this.#proxies, this.#roots, this.#valid, this.#invalid, this.#orphaned])
      gauge.reset()
    const proxies = [...world.httpProxy].filter(([, proxy]) => isOurProxy(proxy, classes))
    const ingresses = [...world.ingress.values()].filter((ingress) => isOurIngress(ingress, classes))
    const ofClasses: Partial<Record<string, number>> = {
      httpProxy: proxies.length,
      ingress: ingresses.length,
    }
    for (const [kind, objects] of Object.entries(world)) {
      this.#objects.set({ kind: kinds[kind as keyof World] }, ofClasses[kind] ?? objects.size)
    }
    for (const [key, { meta, spec }] of proxies) {
      const { namespace } = meta
      const vhost = spec.virtualhost?.fqdn ?? ''
      const state = proxyState(verdict(key))
      this.#proxies.inc({ namespace })
      if (spec.virtualhost !== undefined) this.#roots.inc({ namespace })
      if (state === 'valid') this.#valid.inc({ namespace, vhost })
      else if (state === 'invalid') this.#invalid.inc({ namespace, vhost })
      else this.#orphaned.inc({ namespace })
    }
  }
}
