/**
 * Dashboards as values, and as the JSON that Grafana imports (schema 39, Grafana 10 and newer). The data source is chosen
 * in the dashboard. Panels stand in rows of three, in the order written.
 */
import type { Manifest } from '../objects.ts'

export interface Dashboard {
  /** Also the name of its file and of its ConfigMap. */
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Panel {
  readonly title: string
  readonly kind: 'timeseries' | 'stat'
  /** Of Grafana: `short`, `percent`, `s`, `bytes`, `reqps`, … */
  readonly unit: string
  readonly queries: readonly Query[]
}

export interface Query {
  /** PromQL; `$__rate_interval` is Grafana's. */
  readonly expr: string
  /** Name of each line: `{{pool}}`. */
  readonly legend: string
}

const width = 8
const height = 8
const perRow = 24 / width

export function timeseries(
  title: string,
  unit: string,
  ...queries: readonly (readonly [string, string])[]
): Panel {
  return panel('timeseries', title, unit, queries)
}

export function stat(title: string, unit: string, ...queries: readonly (readonly [string, string])[]): Panel {
  return panel('stat', title, unit, queries)
}

function panel(
  kind: Panel['kind'],
  title: string,
  unit: string,
  queries: readonly (readonly [string, string])[],
): Panel {
  return { title, kind, unit, queries: queries.map(([expr, legend]) => ({ expr, legend })) }
}

/** The panels about the process itself, which all programs share. */
export function processPanels(namespace: string, container: string): readonly Panel[] {
  const pods = `{namespace="${namespace}",container="${container}"}`
  return [
    timeseries('Memory', 'bytes', [`process_resident_memory_bytes${pods}`, '{{pod}}']),
    timeseries('CPU', 'percentunit', [`rate(process_cpu_seconds_total${pods}[$__rate_interval])`, '{{pod}}']),
    timeseries('Requests to the API server without a good answer', 'short', [
      `sum by (method, status) (increase(landfall_kubernetes_request_failures_total${pods}[$__rate_interval]))`,
      '{{method}} {{status}}',
    ]),
  ]
}

/** What `Import dashboard` of Grafana takes. */
export function grafanaJson({ uid, title, panels }: Dashboard): object {
  return {
    uid,
    title,
    tags: ['landfall'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' }],
    },
    panels: panels.map(grafanaPanel),
  }
}

function grafanaPanel({ title, kind, unit, queries }: Panel, index: number): object {
  const datasource = { type: 'prometheus', uid: '${datasource}' }
  return {
    id: index + 1,
    title,
    type: kind,
    datasource,
    gridPos: { x: (index % perRow) * width, y: Math.floor(index / perRow) * height, w: width, h: height },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'none', textMode: 'auto' }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(({ expr, legend }, position) => ({
      refId: String.fromCharCode(65 + position),
      datasource,
      expr,
      legendFormat: legend,
    })),
  }
}

/** Grafana's side-car takes dashboards from ConfigMaps with this label. */
export function dashboardConfigMap(namespace: string, dashboard: Dashboard): Manifest {
  const name = `grafana-${dashboard.uid}`
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { app: 'grafana', grafana_dashboard: '1' } },
    data: { [`${dashboard.uid}.json`]: `${JSON.stringify(grafanaJson(dashboard), undefined, 1)}\n` },
  }
}
