/** All that a diagnosis is made from: the objects, how `serve` is configured, and what running Envoys answered. */
import type { EngineOptions } from '@landfall/ingress/routing'
import type { Key } from '@landfall/kube/model'
import type { Observed } from './observed.ts'

export interface ClusterView {
  readonly observed: Observed
  readonly serving: Serving
  /** By pod; one that is missing was not asked. */
  readonly envoys: ReadonlyMap<Key, EnvoyReading>
}

/** The configuration that `serve` runs with. */
export interface Serving {
  readonly options: EngineOptions
  /** The Service in front of Envoy. */
  readonly entry: Key
  /** Where its pods serve metrics, and what Envoys have. */
  readonly page: { readonly port: number; readonly secure: boolean }
  /** Where it was read, as `pod projectcontour/contour-1, ConfigMap contour`. */
  readonly source: string
}

export type EnvoyReading =
  | { readonly kind: 'figures'; readonly figures: EnvoyFigures }
  | { readonly kind: 'unreadable'; readonly why: string }

/** undefined: Envoy does not say. */
export interface EnvoyFigures {
  /** To a replica of `serve`. */
  readonly connected: boolean | undefined
  /** LIVE, DRAINING, PRE_INITIALIZING or INITIALIZING. */
  readonly state: 'live' | 'draining' | 'starting' | undefined
  readonly listeners: number | undefined
  /** Listeners and clusters that wait for something before they are used. */
  readonly warming: number | undefined
  /** Updates refused since it started. */
  readonly refused: number | undefined
}
