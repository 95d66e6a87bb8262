/** What the translation into resources depends on besides objects. */
import { type DagOptions, defaultDagOptions } from '../dag/options.ts'
import {
  type ClusterOptions,
  defaultClusterOptions,
  defaultListenerOptions,
  defaultRuntimeOptions,
  type ListenerOptions,
  type RuntimeOptions,
} from '../envoy/options.ts'
import type { Layout } from '../xds/layout.ts'

export interface EngineOptions {
  /** Names of our ingress classes; empty: no class, or `contour`. */
  readonly classes: readonly string[]
  readonly dag: DagOptions
  readonly listeners: ListenerOptions
  readonly clusters: ClusterOptions
  readonly runtime: RuntimeOptions
  readonly layout: Layout
}

export const defaultEngineOptions: EngineOptions = {
  classes: [],
  dag: defaultDagOptions,
  listeners: defaultListenerOptions,
  clusters: defaultClusterOptions,
  runtime: defaultRuntimeOptions,
  layout: 'scoped',
}
