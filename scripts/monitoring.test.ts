/** Monitors, alerts and dashboards against what they are about: ports of pods, and metrics that are really exported. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportedMetrics, seriesOf } from '@landfall/cli/reference'
import {
  contourSections,
  type Manifest,
  metallbSections,
  metricNames,
  monitoring,
  monitoringSections,
} from '@landfall/manifests'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const parts = ['metallb', 'contour'] as const

/** Of Envoy's /stats/prometheus in the lab; scenario 11 compares the list with a running one. */
const envoyMetrics = readFileSync(join(root, 'e2e', 'monitoring', 'envoy-metrics.txt'), 'utf8').split('\n')

/** What Prometheus itself says of each target. */
const ofPrometheus = ['up']

function expressionsOf(part: (typeof parts)[number]): readonly (readonly [string, string])[] {
  const { alerts, dashboards } = monitoring[part]
  return [
    ...alerts.map(({ name, expr }) => [name, expr] as const),
    ...dashboards.flatMap(({ title, panels }) =>
      panels.flatMap((panel) => panel.queries.map(({ expr }) => [`${title}: ${panel.title}`, expr] as const)),
    ),
  ]
}

describe.each(parts)('monitoring of %s', (part) => {
  const programs = part === 'metallb' ? ['controller', 'speaker'] : ['serve']
  const ours = exportedMetrics()
    .filter((metric) => metric.programs.some((program) => programs.includes(program)))
    .flatMap(seriesOf)
  const exported = new Set([...ours, ...ofPrometheus, ...(part === 'contour' ? envoyMetrics : [])])

  it.each(expressionsOf(part))('%s names only what is exported', (_, expr) => {
    const names = metricNames(expr)
    expect(names.filter((name) => !exported.has(name))).toEqual([])
    expect(names.length).toBeGreaterThan(0)
  })

  it('scrapes ports that the pods have', () => {
    const sections = part === 'metallb' ? metallbSections('0.0.0') : contourSections('0.0.0')
    const workloads = sections.flatMap(({ objects }) => objects as readonly Manifest[])
    for (const { name, namespace, labels, port } of monitoring[part].targets) {
      const pod = workloads.find(
        (one) =>
          ['Deployment', 'DaemonSet'].includes(one.kind) &&
          one.metadata.name === name &&
          one.metadata.namespace === namespace,
      )
      const text = JSON.stringify(pod)
      expect([name, text.includes(`{"name":"${port}","containerPort":`)]).toEqual([name, true])
      expect(pod).toMatchObject({ spec: { template: { metadata: { labels } } } })
    }
  })

  it('has no two objects, alerts or panels of one name', () => {
    const objects = monitoringSections(part).flatMap((section) => section.objects as readonly Manifest[])
    const { alerts, dashboards } = monitoring[part]
    for (const names of [
      objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
      alerts.map(({ name }) => name),
      ...dashboards.map(({ panels }) => panels.map(({ title }) => title)),
    ])
      expect(names.toSorted()).toEqual([...new Set(names)].toSorted())
  })
})

it('knows every metric that the programs register', () => {
  const known = new Set(exportedMetrics().map(({ name }) => name))
  const literals = sources()
    .flatMap((text) => [
      ...text.matchAll(
        /\b(?:counter|gauge|histogram|makeSummary)(?:<[^>]*>)?\(\s*(?:metrics,\s*)?'([a-z0-9_]+)'/g,
      ),
    ])
    .map(([, name = '']) => name)
    .filter((name) => /^(landfall|contour|metallb|leader)_/.test(name))
  expect(literals.length).toBeGreaterThan(30)
  expect(literals.filter((name) => !known.has(name))).toEqual([])
})

/** The programs' sources; names that are put together belong to classes of which the literals are known. */
function sources(): readonly string[] {
  return ['ingress', 'kube', 'lb', 'speaker', 'telemetry'].flatMap((name) => {
    const folder = join(root, 'packages', name, 'src')
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(folder, file), 'utf8'))
  })
}
