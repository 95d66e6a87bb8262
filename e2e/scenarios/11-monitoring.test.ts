/**
 * A real Prometheus scrapes the lab by our PodMonitors, and by the ServiceMonitors of Lokomotive's components, and evaluates
 * every alert and every panel of both.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { clusterASN } from '../demo/site.ts'
import type { Manifest } from '../lab/index.ts'
import { routerAsn } from '../lab/routers/frr-config.ts'
import { monitoredComponents } from '../monitoring/components.ts'
import { type Prometheus, startPrometheus } from '../monitoring/prometheus.ts'
import {
  atOnce,
  type PodMonitor,
  type PrometheusRule,
  type Rule,
  type ServiceMonitor,
} from '../monitoring/scrape-config.ts'
import { makeAuthority } from './certificate.ts'
import { echo, envoyAddresses, namespaceObject, proxy, scenarioLab, urlOf } from './site.ts'

const lab = scenarioLab()
const namespace = 'watched'
const manifests = join(import.meta.dirname, '..', '..', 'manifests')
const envoyList = join(import.meta.dirname, '..', 'monitoring', 'envoy-metrics.txt')
/** A cold build of Prometheus. */
const buildMs = 25 * 60_000
const patient = { timeout: 60_000, interval: 500 }

/** They show what hardly happens, or what nobody here asked for. */
const silentPanels = new Set([
  'BFD sessions',
  'BFD sessions that went down',
  'BFD packets not believed',
  'Requests to the API server without a good answer',
])

/** Its pods are ready, and do not listen there. */
const closed: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'closed', namespace },
  spec: { selector: { app: 'tea' }, ports: [{ port: 80, targetPort: 9 }] },
}

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}

interface Named extends Panel {
  readonly name: string
}

/** What a component renders, as far as it is looked at here. */
type Component =
  | ServiceMonitor
  | PrometheusRule
  | {
      readonly kind: 'ConfigMap'
      readonly metadata: { readonly name: string }
      readonly data?: Readonly<Record<string, string>>
    }

interface Dashboard {
  readonly title: string
  readonly panels: readonly Panel[]
}

const objects = ['metallb', 'contour'].flatMap((part) =>
  parseAllDocuments(readFileSync(join(manifests, `${part}-monitoring.yaml`), 'utf8')).map(
    (document): PodMonitor | PrometheusRule | { readonly kind: 'ConfigMap' } => document.toJS(),
  ),
)
const monitors = objects.filter((one) => one.kind === 'PodMonitor')
const rules = objects.filter((one) => one.kind === 'PrometheusRule')
const alerts: readonly Rule[] = rules.flatMap(({ spec }) => spec.groups.flatMap((group) => group.rules))
const dashboards: readonly Dashboard[] = readdirSync(join(manifests, 'dashboards')).map((file) =>
  JSON.parse(readFileSync(join(manifests, 'dashboards', file), 'utf8')),
)

beforeAll(async () => {
  const authority = await makeAuthority()
  await lab.apply([
    namespaceObject(namespace),
    ...echo(namespace, 'tea'),
    ...echo(namespace, 'pending', { service: { type: 'LoadBalancer', loadBalancerIP: '198.51.100.1' } }),
    await authority.issue(namespace, 'tea', 'tea.example.com'),
    proxy(namespace, 'tea', {
      virtualhost: { fqdn: 'tea.example.com', tls: { secretName: 'tea' } },
      routes: [
        { permitInsecure: true, services: [{ name: 'tea', port: 80 }] },
        {
          conditions: [{ prefix: '/closed' }],
          permitInsecure: true,
          services: [{ name: 'closed', port: 80 }],
        },
      ],
    }),
    closed,
    proxy(namespace, 'nothing', {
      virtualhost: { fqdn: 'nothing.example.com' },
      routes: [{ services: [{ name: 'nothing', port: 80 }] }],
    }),
  ])
})

afterAll(async () => {
  await lab.delete([peer(), pool()])
  await lab.kubectl(['delete', 'namespace', namespace])
})

describe('monitoring', () => {
  let prometheus: Prometheus

  beforeAll(async () => {
    prometheus = await startPrometheus(lab, monitors, rules)
    await use()
  }, buildMs)

  afterAll(() => prometheus?.stop())

  it('scrapes every program', async () => {
    await expect
      .poll(() => targetsUp(prometheus), patient)
      .toEqual({
        'metallb-system/controller': 1,
        'metallb-system/speaker': lab.nodes.length,
        'projectcontour/contour': 2,
        'projectcontour/envoy': lab.nodes.length,
      })
  })

  it('evaluates every panel, and each shows something', async () => {
    expect(panelsOf(dashboards).length).toBeGreaterThan(60)
    expect(await emptyPanels(prometheus, dashboards, '10s')).toEqual([])
  })

  it('evaluates every alert; those of what is broken fire, those of sessions and configuration do not', async () => {
    for (const { expr } of alerts) await expect(prometheus.query(expr)).resolves.toBeInstanceOf(Array)
    await expect
      .poll(() => firing(prometheus), patient)
      .toEqual(expect.arrayContaining(['LandfallHTTPProxyInvalid', 'LandfallServicesWithoutAddress']))
    expect(await firing(prometheus)).not.toContain('MetalLBBGPSessionDown')
    expect(await firing(prometheus)).not.toContain('MetalLBStaleConfig')
  })

  it('says that a session is down, and that configuration is stale, until that is mended', {
    timeout: 240_000,
  }, async () => {
    const broken = ['MetalLBBGPSessionDown', 'MetalLBStaleConfig']
    const hasty = async () => (await firing(prometheus)).filter((name) => broken.includes(name))
    const shipped = async () => (await firing(prometheus, '')).filter((name) => broken.includes(name))
    // An earlier try may have left some.
    await lab.delete([peer(), pool()])
    await expect.poll(shipped, patient).toEqual([])
    await lab.apply([peer(), pool()])
    await expect.poll(hasty, patient).toEqual(broken)
    // As they are shipped, when it has been so for a minute.
    expect(await shipped()).toEqual([])
    await expect.poll(shipped, { timeout: 120_000, interval: 1000 }).toEqual(broken)
    await lab.delete([peer(), pool()])
    await expect.poll(hasty, patient).toEqual([])
    await expect.poll(shipped, patient).toEqual([])
  })

  it("knows the names of Envoy's metrics", async () => {
    const running = (await prometheus.metricNames()).filter((name) => name.startsWith('envoy_'))
    const [head = '', ...listed] = readFileSync(envoyList, 'utf8').trimEnd().split('\n')
    if (process.env['UPDATE_GOLDEN']) writeFileSync(envoyList, `${[head, ...running].join('\n')}\n`)
    const text = JSON.stringify([dashboards, alerts])
    const used = listed.filter((name) => text.includes(name))
    expect(used.length).toBeGreaterThan(20)
    expect(used.filter((name) => !running.includes(name))).toEqual([])
  })
})

describe('monitoring of the components', () => {
  let services: readonly Manifest[] = []
  let own: readonly Component[] = []
  let prometheus: Prometheus

  beforeAll(async () => {
    const all = await monitoredComponents()
    services = all.filter(({ kind, metadata }) => kind === 'Service' && metadata.name.endsWith('-metrics'))
    own = JSON.parse(JSON.stringify(all))
    await lab.apply(services)
    const named = own.filter((one) => one.kind === 'ServiceMonitor')
    prometheus = await startPrometheus(lab, named, rulesOf(own))
    await use()
  }, buildMs)

  afterAll(async () => {
    await prometheus?.stop()
    await lab.delete(services)
  })

  it('1.14: scrapes every program by the ServiceMonitors and their Services', async () => {
    expect(services).toHaveLength(3)
    await expect
      .poll(() => targetsUp(prometheus), patient)
      .toEqual({
        'metallb-metrics': 1 + lab.nodes.length,
        'contour-metrics': 2,
        'envoy-metrics': lab.nodes.length,
      })
    const query = 'sum by (node, pod) (metallb_bgp_session_up{job="metallb-metrics"})'
    const sessions = async () => (await prometheus.query(query)).map(({ metric }) => metric['node'] ?? '')
    await expect.poll(async () => (await sessions()).toSorted()).toEqual(lab.nodes.map(({ name }) => name))
  })

  it('1.14: evaluates every panel of theirs, and each shows something', { timeout: 240_000 }, async () => {
    const shown = own.flatMap((one) =>
      one.kind === 'ConfigMap' && one.metadata.name === 'grafana-dashs'
        ? Object.values(one.data ?? {}).map((text): Dashboard => JSON.parse(text))
        : [],
    )
    const lokomotives = [
      'Client update errors',
      'Client updates',
      'Public addresses in use',
      'Number of BGP sessions',
    ]
    const titles = panelsOf(shown).map(({ title }) => title)
    expect(titles).toEqual(expect.arrayContaining(lokomotives))
    expect(titles.length).toBeGreaterThan(60)
    // Of Envoy they look every 15 s.
    expect(await emptyPanels(prometheus, shown, '1m')).toEqual([])
  })

  it('1.14: evaluates every alert of theirs, and those of sessions and configuration fire', async () => {
    const all = rulesOf(own).flatMap(({ spec }) => spec.groups.flatMap((group) => group.rules))
    expect(all).toHaveLength(6)
    for (const { expr } of all) await expect(prometheus.query(expr)).resolves.toBeInstanceOf(Array)
    await lab.delete([peer(), pool()])
    await expect.poll(() => firing(prometheus), patient).toEqual([])
    await lab.apply([peer(), pool()])
    const broken = ['MetalLBConfigStale', 'MetalLBNoBGPSession']
    await expect.poll(() => firing(prometheus), patient).toEqual(broken)
    await lab.delete([peer(), pool()])
    await expect.poll(() => firing(prometheus), patient).toEqual([])
  })
})

/** So that there is something to be shown: good answers, and one that a backend owes. */
async function use(): Promise<void> {
  const { ipv4 } = await envoyAddresses(lab)
  for (const [path, status] of [
    ['', 200],
    ['closed', 503],
  ] as const) {
    await lab.waitFor(`${status} of tea.example.com/${path}`, async () => {
      const asked = lab.client.curl(`${urlOf(ipv4)}${path}`, { host: 'tea.example.com' })
      return (await asked.catch(() => undefined))?.status === status
    })
  }
  await lab.client.arping(ipv4, { count: 2 })
}

function rulesOf(all: readonly Component[]): readonly PrometheusRule[] {
  return all.filter((one) => one.kind === 'PrometheusRule')
}

function panelsOf(all: readonly Dashboard[]): readonly Named[] {
  return all.flatMap(({ title, panels }) =>
    panels.map((panel) => ({ ...panel, name: `${title}: ${panel.title}` })),
  )
}

/**
 * @param range that Grafana would put in: at least four times the interval of scrapes
 * @returns those that go on to show nothing, and should
 * @throws when Prometheus cannot evaluate one
 */
async function emptyPanels(
  prometheus: Prometheus,
  all: readonly Dashboard[],
  range: string,
): Promise<readonly string[]> {
  const answersOf = ({ targets }: Panel) =>
    Promise.all(targets.map(({ expr }) => prometheus.query(expr.replaceAll('$__rate_interval', range))))
  const groups = Map.groupBy(panelsOf(all), ({ title }) => silentPanels.has(title))
  for (const panel of groups.get(true) ?? []) await answersOf(panel)
  const look = async () => {
    const empty: string[] = []
    for (const panel of groups.get(false) ?? []) {
      const answers = await answersOf(panel)
      if (answers.every(({ length }) => length === 0)) empty.push(panel.name)
    }
    return empty
  }
  // A rate needs a few looks at each program first.
  await lab
    .waitFor('every panel to show something', async () => (await look()).length === 0, { timeoutMs: 90_000 })
    .catch(() => 'said by the next look')
  return await look()
}

/** Names of alerts that fire; `''`: of those that wait as they are shipped. */
async function firing(prometheus: Prometheus, kind: typeof atOnce | '' = atOnce): Promise<readonly string[]> {
  const states = (await prometheus.alerts()).filter(({ state }) => state === 'firing')
  const names = [...new Set(states.map(({ labels }) => labels['alertname'] ?? ''))]
  const ours = names.filter((name) => name.endsWith(atOnce) === (kind === atOnce))
  return ours.map((name) => name.replace(atOnce, '')).toSorted()
}

/** @returns how many targets each job has, when all are up */
async function targetsUp(prometheus: Prometheus): Promise<Readonly<Record<string, number>>> {
  const up = await lab.waitFor('every target to be up', async () => {
    const targets = await prometheus.targets()
    return targets.length > 0 && targets.every(({ health }) => health === 'up') && targets
  })
  const jobs = Map.groupBy(up, ({ labels }) => labels['job'] ?? '')
  return Object.fromEntries([...jobs].map(([job, { length }]) => [job, length]))
}

/** Nobody is there. */
function peer(): Manifest {
  return {
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata: { name: 'nobody', namespace: 'metallb-system' },
    spec: { myASN: clusterASN, peerASN: routerAsn, peerAddress: '192.168.77.199' },
  }
}

/** It has addresses of another pool. */
function pool(): Manifest {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'overlapping', namespace: 'metallb-system' },
    spec: { addresses: ['192.168.77.200/32'] },
  }
}
