/** 1.14: what a Prometheus scrapes by the monitors of the components and of manifests/, on the Services and pods of both. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { monitoredComponents } from '../monitoring/components.ts'
import { type ServiceObject, targetsOf, type WorkloadObject } from '../monitoring/discovery.ts'
import { type PodMonitor, type ServiceMonitor, scrapeJobs } from '../monitoring/scrape-config.ts'

type Read = PodMonitor | ServiceMonitor | ServiceObject | WorkloadObject

const read = ['PodMonitor', 'ServiceMonitor', 'Service', 'Deployment', 'DaemonSet']
let rendered: readonly Read[]

beforeAll(async () => {
  const objects = (await monitoredComponents()).filter(({ kind }) => read.includes(kind))
  rendered = JSON.parse(JSON.stringify(objects))
})

/** Of manifests/, what a test here reads. */
function shipped(...files: readonly string[]): readonly Read[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'manifests', file), 'utf8')
    return parseAllDocuments(text)
      .map((document): Read => document.toJS())
      .filter(({ kind }) => read.includes(kind))
  })
}

/** Each target, by what Prometheus would call its job. */
function scraped(objects: readonly Read[]): readonly string[] {
  const monitors = objects.filter((one) => one.kind === 'PodMonitor' || one.kind === 'ServiceMonitor')
  const cluster = objects.filter((one) => one.kind !== 'PodMonitor' && one.kind !== 'ServiceMonitor')
  return scrapeJobs(monitors, 'kubeconfig').flatMap((job) =>
    targetsOf(job, cluster).map(
      ({ pod, port, path, labels }) =>
        `${labels['job']}: ${labels['namespace']}/${pod}/${labels['container']}:${port}${path}`,
    ),
  )
}

test('1.14: each program is scraped once by the ServiceMonitors of the components', () => {
  expect(scraped(rendered).toSorted()).toEqual([
    'contour-metrics: projectcontour/contour/contour:8000/metrics',
    'envoy-metrics: projectcontour/envoy/envoy:8002/stats/prometheus',
    'metallb-metrics: metallb-system/controller/controller:7472/metrics',
    'metallb-metrics: metallb-system/speaker/speaker:7472/metrics',
  ])
})

test('each program is scraped once by the PodMonitors of manifests/', () => {
  const all = shipped('landfall.yaml', 'metallb-monitoring.yaml', 'contour-monitoring.yaml')
  expect(scraped(all).toSorted()).toEqual([
    'metallb-system/controller: metallb-system/controller/controller:7472/metrics',
    'metallb-system/speaker: metallb-system/speaker/speaker:7472/metrics',
    'projectcontour/contour: projectcontour/contour/contour:8000/metrics',
    'projectcontour/envoy: projectcontour/envoy/envoy:8002/stats/prometheus',
  ])
})

test('the interval of Envoy is the one that the file gives', () => {
  const monitors = rendered.filter((one) => one.kind === 'ServiceMonitor')
  const intervals = scrapeJobs(monitors, 'kubeconfig').map((job) => [job.job_name, job.scrape_interval])
  expect(Object.fromEntries(intervals)).toEqual({
    'serviceMonitor/metallb-system/metallb/0': undefined,
    'serviceMonitor/projectcontour/contour/0': undefined,
    'serviceMonitor/projectcontour/envoy/0': '15s',
  })
})

test('a monitor finds nothing where the port of its Service has another name', () => {
  const renamed = rendered.map((one) =>
    one.kind === 'Service' && one.metadata.name === 'metallb-metrics'
      ? { ...one, spec: { ...one.spec, ports: one.spec.ports.map((port) => ({ ...port, name: 'other' })) } }
      : one,
  )
  expect(scraped(renamed).filter((target) => target.startsWith('metallb'))).toEqual([])
})

test('targets of the components have every label that dashboards select and sum by', () => {
  const monitors = rendered.filter((one) => one.kind === 'ServiceMonitor')
  const cluster = rendered.filter((one) => one.kind !== 'PodMonitor' && one.kind !== 'ServiceMonitor')
  const labels = scrapeJobs(monitors, '').flatMap((job) => targetsOf(job, cluster).map((one) => one.labels))
  const wanted = ['container', 'endpoint', 'job', 'namespace', 'node', 'pod']
  for (const one of labels) expect(Object.keys(one).toSorted()).toEqual(wanted)
})
