/** The guides' own .lokocfg files, as they are printed there (e2e/seeds); a test's number is its row of the table there. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Manifest, metricNames, monitoring } from '@landfall/manifests'
import { buildLegacy } from '@landfall/metallb/legacy'
import { formatIP } from '@landfall/netip'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { fieldsOf } from './components/placement.ts'
import { nameOfObject } from './components/sections.ts'
import { readLokocfg } from './folder.ts'
import { formatProblem } from './problem.ts'
import { printManifests, renderComponents } from './render.ts'
import { objectOf, problemsOf, render } from './testing.ts'

const seeds = fileURLToPath(new URL('../../../e2e/seeds', import.meta.url))
const guide = '000-lokomotive/ingress.lokocfg'
const component = '001-metallb-component'

async function rendered(file: string) {
  return renderComponents(await readLokocfg({ lokocfg: join(seeds, file) }), [], { version: '1.2.3' })
}

async function objectsOf(file: string): Promise<readonly Manifest[]> {
  const result = await rendered(file)
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
  return result.components.flatMap(({ objects }) => objects)
}

/** The guide's file with an address in place of its placeholder. */
async function filledIn(): Promise<string> {
  const { readFileSync } = await import('node:fs')
  return readFileSync(join(seeds, guide), 'utf8').replace('a.b.c.d/X', '198.51.100.0/28')
}

async function printedOf(text: string): Promise<string> {
  const result = await render(text)
  return printManifests(result.ok ? result.components : [])
}

function podOf(objects: readonly Manifest[], name: string) {
  const workload = objects.find(({ kind, metadata }) => `${kind} ${metadata.name}` === name)
  return fieldsOf(fieldsOf(fieldsOf(workload?.['spec'])['template'])['spec'])
}

/** Definitions of kinds are long texts, and both components are printed twice. */
const long = { timeout: 30_000 }

test('0.2: the guide’s file renders both components, with the pool that it gives', long, async () => {
  const text = await filledIn()
  const printed = await printedOf(text)
  expect(await printedOf(text)).toBe(printed)
  expect(printed.match(/^# manifests for component .*$/gm)).toEqual([
    '# manifests for component metallb',
    '# manifests for component contour',
  ])
  const documents = parseAllDocuments(printed).map((document): Manifest => document.toJS())
  const names = documents.map(nameOfObject)
  expect(new Set(names).size).toBe(names.length)
  const config = fieldsOf(fieldsOf(await objectOf('ConfigMap config', text))['data'])['config']
  await expect(String(config)).toMatchFileSnapshot('testdata/guide-000.config.yaml')
})

test('0.3: the placeholder of the guide is refused, with file, component, pool and text', async () => {
  const result = await rendered(guide)
  const problems = result.ok ? [] : result.problems.map(formatProblem)
  expect(problems).toEqual([
    expect.stringMatching(
      /ingress\.lokocfg:4:16: component "metallb": address_pools: pool "default": "a\.b\.c\.d\/X" is no CIDR/,
    ),
  ])
})

test('0.7: the ConfigMap of the guide finds a peer for each Node with the labels, and for no other', async () => {
  const data = fieldsOf(fieldsOf(await objectOf('ConfigMap config', await filledIn()))['data'])
  const meta = {
    namespace: 'metallb-system',
    name: 'config',
    uid: '',
    resourceVersion: '',
    generation: 0,
    creationTimestamp: '',
    labels: {},
    annotations: {},
    deleting: false,
  }
  const node = (name: string, address?: string) => ({
    meta: {
      ...meta,
      namespace: '',
      name,
      labels: {
        'kubernetes.io/hostname': name,
        ...(address !== undefined && {
          'metallb.universe.tf/my-asn': '65000',
          'metallb.universe.tf/peer-asn': '65530',
          'metallb.universe.tf/peer-address': address,
        }),
      },
    },
    internalIPs: [],
    ready: true,
    networkUnavailable: false,
    unschedulable: false,
    outOfService: false,
  })
  const peersWith = (address: string) => {
    const configMap = { meta, data: { config: String(data['config']) } }
    const { config, refusals } = buildLegacy(configMap, [node('worker-0', address), node('worker-1')])
    expect(refusals).toEqual([])
    return config.peers.map(({ myASN, nodes, address: to }) => ({
      myASN,
      nodes: [...nodes],
      to: to && formatIP(to),
    }))
  }
  expect(peersWith('10.88.72.128')).toEqual([{ myASN: 65000, nodes: ['worker-0'], to: '10.88.72.128' }])
  expect(peersWith('10.88.72.129')).toEqual([{ myASN: 65000, nodes: ['worker-0'], to: '10.88.72.129' }])
})

test('1.9: pods go where the guide’s selectors say, an empty value stays one', async () => {
  const objects = await objectsOf(`${component}/node-selection/metallb.lokocfg`)
  expect(podOf(objects, 'Deployment controller')['nodeSelector']).toEqual({
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': 'worker3',
  })
  expect(podOf(objects, 'DaemonSet speaker')['nodeSelector']).toEqual({
    'kubernetes.io/os': 'linux',
    ingress_node: 'true',
    'node-role.kubernetes.io/node': '',
  })
  const result = await rendered(`${component}/node-selection/metallb.lokocfg`)
  expect(printManifests(result.ok ? result.components : [])).toContain('node-role.kubernetes.io/node: ""\n')
})

test('1.10: a key with special characters that is not quoted is refused with its place', async () => {
  const text =
    'component "metallb" {\n  controller_node_selectors = {\n    kubernetes.io/hostname = "w"\n  }\n}\n'
  expect(await problemsOf(text)).toEqual([
    'a.lokocfg:3:5: a key with special characters must be quoted: "kubernetes.io/hostname"',
  ])
  expect(await problemsOf('component "metallb" {\n  kubernetes.io/hostname = "w"\n}\n')).toEqual([
    expect.stringMatching(/^a\.lokocfg:2:3: /),
  ])
})

test.each([
  ['worker3', 'worker3 stands for nothing; a text must be quoted: "worker3"'],
  ['true', 'takes a text, not true or false; it must be quoted: "true"'],
  ['50', 'takes a text, not a number; what is written there must be quoted'],
  ['1.10', 'takes a text, not a number; what is written there must be quoted'],
  ['2020-01-01', 'a text must be quoted'],
  ['10.0.0.1', 'A text must be quoted.'],
  ['50g', 'A text must be quoted.'],
])('a label value %s that is not quoted is told to be', async (value, told) => {
  const text = `component "metallb" {\n  speaker_node_selectors = { "vlan" = ${value} }\n}\n`
  expect(await problemsOf(text)).toEqual([expect.stringContaining(told)])
})

test('1.11: tolerations of each are those of the guide, in its order', async () => {
  const objects = await objectsOf(`${component}/tolerations/metallb.lokocfg`)
  const equal = (key: string, value: string) => ({ key, operator: 'Equal', value })
  expect(podOf(objects, 'DaemonSet speaker')['tolerations']).toEqual([
    equal('speaker_key1', 'value1'),
    equal('speaker_key2', 'value2'),
  ])
  expect(podOf(objects, 'Deployment controller')['tolerations']).toEqual([
    equal('controller_key1', 'value1'),
    equal('controller_key2', 'value2'),
  ])
})

test('1.12: toleration_seconds requires effect = "NoExecute"', async () => {
  const text = (effect: string) =>
    `component "metallb" {\n  speaker_toleration {\n    key = "a"\n    effect = "${effect}"\n    toleration_seconds = 60\n  }\n}\n`
  expect(await problemsOf(text('NoSchedule'))).toEqual([
    'a.lokocfg:5:26: component "metallb": speaker_toleration: toleration_seconds requires effect = "NoExecute"',
  ])
  expect(await problemsOf(text('NoExecute'))).toEqual([])
})

test('1.13: without address_pools there is no ConfigMap, the one made by hand is used', async () => {
  const objects = await objectsOf(`${component}/tolerations/metallb.lokocfg`)
  expect(objects.map(({ kind }) => kind)).not.toContain('ConfigMap')
})

test('1.14: service_monitor adds what the Prometheus operator and Grafana read', async () => {
  const objects = await objectsOf(`${component}/monitoring/metallb.lokocfg`)
  const plain = await render('component "metallb" {}')
  const known = new Set(
    (plain.ok ? plain.components : []).flatMap((one) =>
      one.objects.map((two) => `${two.kind} ${two.metadata.name}`),
    ),
  )
  const added = objects.filter(({ kind, metadata }) => !known.has(`${kind} ${metadata.name}`))
  expect(added.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual([
    'Service metallb-system/metallb-metrics',
    'ServiceMonitor metallb-system/metallb',
    'ConfigMap metallb-system/grafana-dashs',
    'PrometheusRule metallb-system/alertmanager-rules',
  ])
  const [service, monitor, dashboards, rules] = added
  expect(service?.['spec']).toMatchObject({
    selector: { app: 'metallb' },
    ports: [{ name: 'metallb-metrics', port: 7472 }],
  })
  expect(monitor?.['spec']).toMatchObject({
    namespaceSelector: { matchNames: ['metallb-system'] },
    selector: { matchLabels: { app: 'metallb' } },
    endpoints: [{ port: 'metallb-metrics', path: '/metrics' }],
  })
  const panels = panelsOf(dashboards, 'metallb.json')
  expect(panels.map(({ title }) => title)).toEqual([
    'Client update errors',
    'Client updates',
    'Public addresses in use',
    'Number of BGP sessions',
  ])
  expect(alertsOf(rules)).toEqual({
    name: 'metallb-rules',
    rules: [
      expect.objectContaining({
        alert: 'MetalLBNoBGPSession',
        expr: 'metallb_bgp_session_up != 1',
        for: '2m',
      }),
      expect.objectContaining({ alert: 'MetalLBConfigStale', for: '2m' }),
      expect.objectContaining({ alert: 'MetalLBControllerPodsAvailability', for: '1m' }),
      expect.objectContaining({ alert: 'MetalLBSpeakerPodsAvailability', for: '1m' }),
    ],
  })
})

test('what dashboards and alerts of the components ask for is exported', async () => {
  const text =
    'component "metallb" {\n service_monitor = true\n}\ncomponent "contour" {\n enable_monitoring = true\n}\n'
  const result = await render(text)
  const objects = (result.ok ? result.components : []).flatMap((one) => one.objects)
  const asked = objects
    .filter(({ kind, metadata }) => kind === 'PrometheusRule' || metadata.name === 'grafana-dashs')
    .flatMap((one) =>
      exprsIn(one['spec'] ?? Object.values(fieldsOf(one['data'])).map((text) => JSON.parse(String(text)))),
    )
    .flatMap(metricNames)
  // Those of `monitoring` are compared with the programs beside it.
  const { metallb, contour } = monitoring
  const exprs = [metallb, contour].flatMap(({ alerts, dashboards }) => [
    ...alerts.map(({ expr }) => expr),
    ...dashboards.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr))),
  ])
  const exported = new Set(exprs.flatMap(metricNames))
  expect(asked.length).toBeGreaterThan(50)
  expect([...new Set(asked.filter((name) => !exported.has(name)))].toSorted()).toEqual([
    'kube_daemonset_status_number_unavailable',
    'kube_deployment_status_replicas_unavailable',
  ])
})

/** Every field `expr`, however deep. */
function exprsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(exprsIn)
  const { expr, ...others } = fieldsOf(value)
  return [
    ...(typeof expr === 'string' ? [expr] : []),
    ...Object.values(others).filter(isObject).flatMap(exprsIn),
  ]
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function panelsOf(configMap: Manifest | undefined, file: string): readonly { readonly title: string }[] {
  const text = fieldsOf(configMap?.['data'])[file]
  const dashboard: { panels: readonly { title: string }[] } = JSON.parse(String(text))
  return dashboard.panels
}

function alertsOf(rule: Manifest | undefined): unknown {
  const { groups } = fieldsOf(rule?.['spec'])
  return Array.isArray(groups) ? groups[0] : undefined
}
