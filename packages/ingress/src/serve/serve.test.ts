import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContourConfigurationStatus, HTTPProxyStatus } from '@landfall/api'
import type { RawObject } from '@landfall/kube'
import { statusOf } from '@landfall/kube/testing'
import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeCertificates } from '../certgen/certificates.ts'
import { manyChains } from '../engine/chains.ts'
import { eventually, freePort } from '../envoy-process/envoy-process.ts'
import { followClusters } from './cluster-follower.ts'
import { follow } from './follower.ts'
import { type Objects, ServeBed } from './serve-bed.ts'

let bed: ServeBed

beforeEach(async () => {
  bed = await new ServeBed().open()
})

afterEach(() => bed.close())

test('/metrics tells who leads, and which requests to the API server failed', async () => {
  let made: unknown
  bed.server.answer = ({ method, path, body }) => {
    if (!path.includes('/leases')) return undefined
    if (method === 'GET' && made === undefined) return { status: 404, body: statusOf(404, 'NotFound') }
    if (method === 'POST' || method === 'PUT') made = body
    return { body: made }
  }
  const at = await bed.serve()
  const text = await eventually('leads', async () => {
    const body = await (await fetch(`${at}/metrics`)).text()
    return body.includes('leader_election_master_status{name="leader-elect"} 1') ? body : undefined
  })
  expect(text).toContain('landfall_kubernetes_request_failures_total{method="GET",status="404"} 1')
  expect(text).toContain('contour_build_info{branch="",revision="",version="9.9.9"} 1')
})

const contourMetrics = [
  'contour_build_info gauge',
  'contour_cachehandler_onupdate_duration_seconds summary',
  'contour_dag_cache_object gauge',
  'contour_dagrebuild_seconds summary',
  'contour_dagrebuild_timestamp gauge',
  'contour_dagrebuild_total counter',
  'contour_eventhandler_operation_total counter',
  'contour_httpproxy gauge',
  'contour_httpproxy_invalid gauge',
  'contour_httpproxy_orphaned gauge',
  'contour_httpproxy_root gauge',
  'contour_httpproxy_valid gauge',
  'contour_status_update_conflict_total counter',
  'contour_status_update_duration_seconds summary',
  'contour_status_update_failed_total counter',
  'contour_status_update_noop_total counter',
  'contour_status_update_success_total counter',
  'contour_status_update_total counter',
]

test("Contour's metrics keep names and kinds; health and /debug/dag answer", async () => {
  const debugPort = await freePort()
  const at = await bed.serve(
    { [proxies]: [proxy('Random', 1)], [services]: [shop] },
    {},
    { xdsInsecure: true, debugPort },
  )
  const text = await (await fetch(`${at}/metrics`)).text()
  const shown = [...text.matchAll(/^# TYPE (contour_.*)$/gm)].map(([, type]) => type)
  expect(new Set(shown)).toEqual(new Set(contourMetrics))
  for (const path of ['/health', '/healthz', '/readyz'])
    expect((await fetch(`${at}${path}`)).status).toBe(200)
  expect(await (await fetch(`${at}/envoys?hosts=shop.test,*`)).json()).toEqual([
    { host: 'shop.test', envoys: [] },
    { host: '*', envoys: [] },
  ])
  const debug = (path: string) => fetch(`http://127.0.0.1:${debugPort}${path}`)
  expect(await (await debug('/debug/dag')).text()).toContain('"ingress_http" -> "ingress_http/shop.test"')
  const page = await debug('/debug/dag.svg?host=shop.test')
  expect(page.headers.get('content-type')).toBe('image/svg+xml')
  expect(await page.text()).toContain('shop.test')
  expect(await (await debug('/debug/dag?host=other.test')).text()).toBe('digraph DAG {\nrankdir=LR\n}\n')
})

test('objects of other classes are not counted', async () => {
  const foreign = {
    ...proxy('Random', 1),
    metadata: { name: 'foreign', namespace: 'web', resourceVersion: '9' },
    spec: { ingressClassName: 'nginx', virtualhost: { fqdn: 'foreign.test' } },
  }
  const ingress = { metadata: { name: 'foreign', namespace: 'web' }, spec: { ingressClassName: 'nginx' } }
  const at = await bed.serve({
    [proxies]: [proxy('Random', 1), foreign],
    [services]: [shop],
    '/apis/networking.k8s.io/v1/ingresses': [ingress],
  })
  const text = await (await fetch(`${at}/metrics`)).text()
  const counted = text.match(/^(contour_httpproxy(_root|_orphaned)?|contour_dag_cache_object)\{.*$/gm)
  expect(counted).toEqual(
    expect.arrayContaining([
      'contour_httpproxy{namespace="web"} 1',
      'contour_httpproxy_root{namespace="web"} 1',
      'contour_dag_cache_object{kind="HTTPProxy"} 1',
      'contour_dag_cache_object{kind="Ingress"} 0',
    ]),
  )
  expect(text).not.toMatch(/^contour_httpproxy_orphaned\{/m)
})

test('/metrics tells when the certificate shown to Envoys ends', async () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const { ca, server: own } = await makeCertificates({ namespace: 'ns', lifetimeDays: 30, now })
  const write = (name: string, text: string) => {
    writeFileSync(join(bed.directory, name), text)
    return join(bed.directory, name)
  }
  const xdsCa = write('ca.crt', ca)
  const xdsCertificate = write('tls.crt', own.certificate)
  const xdsKey = write('tls.key', own.key)
  const at = await bed.serve({}, {}, { xdsCa, xdsCertificate, xdsKey })
  const text = await (await fetch(`${at}/metrics`)).text()
  expect(text).toContain(`landfall_xds_certificate_not_after_seconds ${Date.UTC(2026, 0, 31) / 1000}\n`)
})

const proxies = '/apis/projectcontour.io/v1/httpproxies'
const services = '/api/v1/services'

function proxy(strategy: string, generation: number, status?: unknown): RawObject {
  return {
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { name: 'shop', namespace: 'web', generation, resourceVersion: String(generation + 1) },
    spec: {
      virtualhost: { fqdn: 'shop.test' },
      routes: [{ services: [{ name: 'shop', port: 80 }], loadBalancerPolicy: { strategy } }],
    },
    ...(status === undefined ? {} : { status }),
  }
}

const shop: RawObject = {
  metadata: { name: 'shop', namespace: 'web', resourceVersion: '1' },
  spec: { ports: [{ name: 'http', port: 80 }] },
}

/** Refuses each cluster in the same words. @returns what ends it */
function refuseClusters(): () => void {
  const onResources = (resources: readonly unknown[]) => (resources.length > 0 ? 'not with me' : undefined)
  return follow(bed.xdsPort, { type: 'clusters', onResources })
}

test('rule 40, 42, defect 14: what an Envoy refuses stands in the status, and is withheld over a restart, until the content changes', async () => {
  let stored = proxy('RoundRobin', 1)
  bed.server.answer = ({ method, path, body, query }) => {
    if (query.has('watch')) return undefined
    if (!path.startsWith('/apis/projectcontour.io/v1/namespaces/web/httpproxies/shop')) return undefined
    if (method === 'PUT') stored = { ...stored, status: (body as RawObject)['status'] }
    return { body: stored }
  }
  const start = () => bed.serve({ [proxies]: [stored], [services]: [shop] }, { leaderElection: undefined })
  await start()
  const end = refuseClusters()
  const conditions = () => (stored['status'] as HTTPProxyStatus | undefined)?.conditions ?? []
  const refusal = await eventually('said', () => conditions().find(({ status }) => status === 'False'))
  expect(refusal).toMatchObject({ status: 'False', reason: 'EnvoyRefused', observedGeneration: 1 })
  expect(refusal.message).toMatch(/^host "shop.test": clusters "web\/shop\/80\/[0-9a-f]{10}": not with me$/)

  end()
  await bed.stop()
  const at = await start()
  const envoy = followClusters(bed.xdsPort)
  await eventually('left as it is', async () => {
    const text = await (await fetch(`${at}/metrics`)).text()
    const looked = /contour_status_update_noop_total\{kind="HTTPProxy"\} [1-9]/.test(text)
    return looked && text.includes('landfall_xds_streams 1\n') ? true : undefined
  })
  expect(conditions()[1]).toEqual(refusal)
  stored = proxy('Random', 2, stored['status'])
  await bed.watch(proxies).send({ type: 'MODIFIED', object: stored })
  await eventually('taken back', () =>
    conditions().every(({ observedGeneration }) => observedGeneration === 2) ? true : undefined,
  )
  expect(conditions()).toMatchObject([
    { type: 'Valid', status: 'True' },
    { type: 'Programmed', status: 'Unknown', reason: 'NoEnvoy' },
  ])
  await eventually('served', () => (envoy.seconds.size > 0 ? true : undefined))
  expect([...envoy.seconds.keys()].filter((name) => refusal.message.includes(name))).toEqual([])
  envoy.end()
})

const ingresses = '/apis/networking.k8s.io/v1/ingresses'

function ingress(path: string): RawObject {
  const backend = { service: { name: 'shop', port: { number: 80 } } }
  const http = { paths: [{ path, pathType: 'Prefix', backend }] }
  return {
    metadata: { name: 'shop', namespace: 'web', uid: 'u', resourceVersion: '2' },
    spec: { rules: [{ host: 'shop.test', http }] },
  }
}

test('rule 42: what an Envoy refuses of an Ingress is told while it stands, and withheld over a restart', async () => {
  let stored: RawObject[] = []
  bed.server.answer = ({ method, path, body, query }) => {
    if (method === 'POST' && path === '/api/v1/namespaces/web/events') stored.push(body as RawObject)
    if (method === 'POST') return { body }
    const isAsked = query.get('fieldSelector') === 'reason=EnvoyRefused,involvedObject.kind=Ingress'
    return isAsked ? { body: { items: stored } } : undefined
  }
  let bad: string | undefined
  let standIn: string | undefined
  const start = async (path: string) => {
    await bed.serve({ [ingresses]: [ingress(path)], [services]: [shop] }, { leaderElection: undefined })
    const seen: string[] = []
    const end = follow(bed.xdsPort, {
      type: 'scopes',
      onResources: (resources) => {
        const contents = resources.map(({ name, version }) => `${name} ${version}`)
        seen.push(...contents)
        bad ??= contents[0]
        return contents.some((one) => one === bad) ? 'not with me' : undefined
      },
    })
    return { seen, end }
  }
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const refusing = await start('/')
    const [told] = await eventually('told', () => (stored.length > 0 ? stored : undefined))
    expect(told?.['message']).toMatch(
      /^Envoy refuses, .*: scopes http\/shop.test of content .*: not with me$/,
    )
    vi.advanceTimersByTime(30 * 60_000)
    await eventually('told again', () =>
      bed.server.requests.some(({ method, path }) => method === 'PATCH' && path.includes('/web/events/'))
        ? true
        : undefined,
    )
    refusing.end()
    await bed.stop()

    const taking = await start('/')
    standIn = await eventually('answered', () => taking.seen[0])
    expect(standIn).not.toBe(bad)
    stored = stored.slice(0, 1)
    vi.advanceTimersByTime(30 * 60_000)
    await eventually('told by the next', () => (stored.length > 1 ? true : undefined))
    expect(stored[1]?.['message']).toEqual(told?.['message'])
    expect(taking.seen).toEqual([standIn])
    taking.end()
    await bed.stop()
  } finally {
    vi.useRealTimers()
  }
  const changed = await start('/other')
  const served = await eventually('served', () => changed.seen[0])
  expect(served).toMatch(/^http\/shop.test /)
  expect([bad, standIn]).not.toContain(served)
  changed.end()
})

const world: Objects = { [proxies]: [proxy('Random', 1)], [services]: [shop] }

test('many filter chains are advised against, but not where certificates are fetched on demand already', async () => {
  const passed = (index: number): RawObject => ({
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { name: `p${index}`, namespace: 'web', resourceVersion: '1' },
    spec: {
      virtualhost: { fqdn: `p${index}.test`, tls: { passthrough: true } },
      tcpproxy: { services: [{ name: 'shop', port: 80 }] },
    },
  })
  const all = { [proxies]: Array.from({ length: manyChains + 1 }, (_, n) => passed(n)), [services]: [shop] }
  const advised = async (certificates: 'chains' | 'on-demand') => {
    const lines: string[] = []
    const logger = () => createLogger({ write: (line) => lines.push(line) })
    const at = await bed.serve(all, { logger }, { xdsInsecure: true, certificates })
    const text = await (await fetch(`${at}/metrics`)).text()
    expect(text).toContain(`landfall_https_filter_chains ${manyChains + 1}\n`)
    await bed.stop()
    return lines.filter((line) => line.includes('manyFilterChains')).length
  }
  expect(await advised('chains')).toBe(1)
  expect(await advised('on-demand')).toBe(0)
})

test('contour.yaml is followed: what may change does, what needs a restart is counted, what is wrong changes nothing', async () => {
  const path = join(bed.directory, 'contour.yaml')
  writeFileSync(path, 'timeouts: {connect-timeout: 5s}\n')
  const at = await bed.serve(world, { configuration: { kind: 'file', path } })
  const figures = async () => await (await fetch(`${at}/metrics`)).text()
  const told = followClusters(bed.xdsPort)
  const [name] = await eventually('told', () => [...told.seconds.keys()][0]?.split(' '))
  const connect = () => told.seconds.get(name ?? '')
  expect(connect()).toBe(5n)
  expect(await figures()).toContain('landfall_configuration_valid 1\n')

  writeFileSync(path, 'timeouts: {connect-timeout: 7s}\nenvoy-service-name: other\n')
  await eventually('changed', () => (connect() === 7n ? true : undefined))
  expect(await figures()).toContain('landfall_configuration_restart_needed 1\n')

  writeFileSync(path, 'timeouts: {connect-timeout: 9s}\nno-such-key: 1\n')
  await eventually('refused', async () =>
    (await figures()).includes('landfall_configuration_valid 0\n') ? true : undefined,
  )
  expect(connect()).toBe(7n)

  const valid = (value: number) => async () =>
    (await figures()).includes(`landfall_configuration_valid ${value}\n`) ? true : undefined
  writeFileSync(path, 'timeouts: {connect-timeout: 7s}\nenvoy-service-name: other\n')
  await eventually('taken', valid(1))
  rmSync(path)
  await eventually('found missing', valid(0))
  expect(connect()).toBe(7n)
  writeFileSync(path, 'timeouts: {connect-timeout: 7s}\nenvoy-service-name: other\n')
  await eventually('back', valid(1))
  told.end()
})

test('a ContourConfiguration says in its conditions what became of it', async () => {
  const collection = '/apis/projectcontour.io/v1alpha1/namespaces/ns/contourconfigurations'
  const make = (generation: number, spec: object, status?: unknown): RawObject => ({
    apiVersion: 'projectcontour.io/v1alpha1',
    kind: 'ContourConfiguration',
    metadata: { name: 'main', namespace: 'ns', generation, resourceVersion: String(generation) },
    spec,
    ...(status === undefined ? {} : { status }),
  })
  let stored = make(1, { envoy: { timeouts: { connectTimeout: '5s' } } })
  bed.server.answer = ({ method, path, body, query }) => {
    if (query.has('watch') || !path.startsWith(`${collection}/main`)) return undefined
    if (method === 'PUT') stored = body as RawObject
    return { body: stored }
  }
  const configuration = { kind: 'object', namespace: 'ns', name: 'main' } as const
  await bed.serve({ ...world, [collection]: [stored] }, { configuration, leaderElection: undefined })
  const conditions = () => (stored['status'] as ContourConfigurationStatus | undefined)?.conditions ?? []
  await eventually('told', () => (conditions().length > 0 ? true : undefined))
  expect(conditions()).toMatchObject([
    { type: 'Valid', status: 'True', observedGeneration: 1 },
    { type: 'Applied', status: 'True' },
    { type: 'ResolvedRefs', status: 'True' },
    { type: 'Programmed', status: 'True' },
  ])
  const watch = bed.watch(collection)
  const change = async (generation: number, spec: object) => {
    stored = make(generation, spec, stored['status'])
    await watch?.send({ type: 'MODIFIED', object: stored })
    await eventually('judged', () => (conditions()[0]?.observedGeneration === generation ? true : undefined))
  }
  await change(2, { tracing: { extensionService: { namespace: 'web', name: 'traces' } } })
  await eventually('told', () => (conditions()[2]?.status === 'False' ? true : undefined))
  expect(conditions()[2]).toMatchObject({
    reason: 'ExtensionServiceNotFound',
    message: 'tracing.extensionService: ExtensionService "web/traces" is not found: no trace is told',
  })
  await change(3, { xdsServer: { port: 9999 } })
  expect(conditions()[1]).toMatchObject({
    status: 'False',
    reason: 'RestartNeeded',
    message: 'needs a restart: xdsServer.port',
  })
  await change(4, { gateway: { gatewayRef: { name: 'a', namespace: 'b' } } })
  expect(conditions()[0]).toMatchObject({
    status: 'False',
    reason: 'ErrorPresent',
    errors: [{ reason: 'InvalidSetting', message: expect.stringMatching(/^gateway: .*take this key out/) }],
  })
})
