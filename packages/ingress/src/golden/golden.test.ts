/**
 * Golden files: `testdata/NAME.yaml` holds the objects, `testdata/NAME.golden.yaml` what becomes of them. With
 * UPDATE_GOLDEN=1 the golden files are written anew and those without input removed.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { proxyStatus } from '../status/proxy-status.ts'
import { layouts } from '../xds/layout.ts'
import type { Resource } from '../xds/resource.ts'
import { readObjects, settingsOf } from './objects.ts'
import { readable } from './readable.ts'

const folder = new URL('./testdata/', import.meta.url)
const update = process.env['UPDATE_GOLDEN'] === '1'
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml') && !file.endsWith('.golden.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))
const now = '2026-01-02T03:04:05Z'

test.each(names)('%s', (name) => {
  const shown = stringify(translate(read(`${name}.yaml`)), { lineWidth: 110, aliasDuplicateObjects: false })
  expect(shown).not.toContain('PRIVATE KEY')
  if (update) writeFileSync(new URL(`${name}.golden.yaml`, folder), shown)
  expect(shown).toBe(read(`${name}.golden.yaml`))
})

test('every golden file has its input', () => {
  const orphans = goldens().filter((name) => !names.includes(name))
  if (update) for (const name of orphans) rmSync(new URL(`${name}.golden.yaml`, folder))
  expect(goldens().filter((name) => !names.includes(name))).toEqual([])
})

function goldens(): readonly string[] {
  return readdirSync(folder).flatMap((file) => /^(.*)\.golden\.yaml$/.exec(file)?.[1] ?? [])
}

function read(file: string): string {
  return readFileSync(new URL(file, folder), 'utf8')
}

function translate(text: string): unknown {
  const { changes, slices } = readObjects(text)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const layout = layouts.find((one) => text.includes(`\n# layout: ${one}\n`)) ?? 'scoped'
  const dag = settingsOf(text)
  const engine = new Engine(world, { ...defaultEngineOptions, dag, layout })
  engine.apply(changes)
  engine.applySlices(slices)
  const snapshot = engine.snapshot()
  const showAll = text.startsWith('# show: everything')
  const showChains = text.startsWith('# show: chains')
  const statuses = changes.flatMap(({ kind, key, after }) => {
    if (kind === 'httpProxy') {
      const { conditions: _, ...rest } = proxyStatus(
        undefined,
        engine.verdict(kind, key),
        after?.meta.generation ?? 0,
        [],
        now,
      )
      return [[`HTTPProxy ${key}`, { ...rest, problems: engine.verdict(kind, key).problems }]]
    }
    if (kind === 'extensionService')
      return [[`ExtensionService ${key}`, { problems: engine.verdict(kind, key).problems }]]
    return kind === 'ingress' ? [[`Ingress ${key}`, { problems: engine.verdict(kind, key).problems }]] : []
  })
  return {
    listeners: [...snapshot.listeners.values()]
      .toSorted(byName)
      .flatMap((listener) => (showChains ? chainsOf(listener) : showListener(listener, showAll))),
    scopes: [...snapshot.scopes.values()].toSorted(byName).map((scope) => showScope(scope, showAll)),
    ...(layout === 'scoped'
      ? {}
      : { routes: [...(snapshot.routes?.values() ?? [])].toSorted(byName).map(showTable) }),
    clusters: [...snapshot.clusters.values()]
      .toSorted(byName)
      .map((cluster) => readable('clusters', cluster)),
    endpoints: [...snapshot.endpoints.values()].toSorted(byName).map(showEndpoints),
    secrets: [...snapshot.secrets.keys()].toSorted(),
    statuses: Object.fromEntries(statuses),
  }
}

function byName(a: Resource, b: Resource): number {
  return a.name < b.name ? -1 : 1
}

interface Shown {
  readonly name: string
  readonly filter_chain_matcher?: unknown
  readonly filter_chains: readonly {
    readonly name: string
    readonly filter_chain_match?: { readonly server_names: string[] }
    readonly transport_socket?: { readonly typed_config: unknown }
    readonly filters?: readonly { readonly typed_config: Readonly<Record<string, unknown>> }[]
  }[]
  readonly route_configuration: { readonly virtual_hosts: unknown }
  readonly endpoints?: readonly { readonly lb_endpoints: readonly { readonly endpoint: unknown }[] }[]
}

/** The operational listeners never change; the traffic listeners only in their chains. */
function showListener(resource: Resource, all: boolean): readonly unknown[] {
  const listener = readable('listeners', resource) as Shown
  if (all) return [listener]
  if (!listener.name.startsWith('ingress_')) return []
  return [
    {
      [listener.name]: listener.filter_chains.map((chain) => ({
        [chain.name]:
          chain.filter_chain_match?.server_names ?? matched(listener.filter_chain_matcher, chain.name),
      })),
    },
  ]
}

/** The names of the handshake that a chain is for; all, where it takes what no other does. */
function matched(matcher: unknown, chain: string): readonly string[] {
  if (typeof matcher !== 'object' || matcher === null) return []
  const exact = Object.entries(matcher).flatMap(([key, value]): readonly string[] => {
    if (key !== 'map') return matched(value, chain)
    const names = Object.entries(
      value as Readonly<Record<string, { readonly action?: { readonly name: string } }>>,
    )
    return names.flatMap(([name, { action }]) => (action?.name === chain ? [name] : []))
  })
  const { predicate, on_match: then } = matcher as Below
  return then?.action?.name === chain ? [`*${predicate.single_predicate.value_match.suffix}`] : exact
}

interface Below {
  readonly predicate: { readonly single_predicate: { readonly value_match: { readonly suffix: string } } }
  readonly on_match?: { readonly action?: { readonly name: string } }
}

/** How each chain speaks TLS, and what it does with the stream. */
function chainsOf(resource: Resource): readonly unknown[] {
  const listener = readable('listeners', resource) as Shown
  if (!listener.name.startsWith('ingress_')) return []
  if (listener.name === 'ingress_http' && !checks.test(JSON.stringify(listener))) return []
  return listener.filter_chains.map((chain) => ({
    [chain.name]: {
      ...(listener.filter_chain_matcher === undefined
        ? {}
        : { hosts: matched(listener.filter_chain_matcher, chain.name) }),
      tls: chain.transport_socket?.typed_config ?? 'passed on',
      filters: chain.filters?.map(({ typed_config }) => {
        const { http_filters, forward_client_cert_details: forward, ...rest } = typed_config
        if (http_filters === undefined) return rest
        return {
          forward,
          details: typed_config['set_current_client_cert_details'],
          ...checksOf(http_filters),
        }
      }),
    },
  }))
}

const checks = /jwt_authn|ext_authz|filters\.http\.ratelimit/

/** Filters that ask somebody about a request. */
function checksOf(filters: unknown): object {
  const asking = (filters as readonly { readonly name: string }[]).filter(({ name }) => checks.test(name))
  return asking.length === 0 ? {} : { checks: asking }
}

function showScope(resource: Resource, all: boolean): unknown {
  const scope = readable('scopes', resource) as Shown
  return all ? scope : { [scope.name]: scope.route_configuration.virtual_hosts }
}

function showTable(resource: Resource): unknown {
  return readable('routes', resource)
}

function showEndpoints(resource: Resource): unknown {
  const { endpoints } = readable('endpoints', resource) as Shown
  const addresses = (endpoints ?? []).flatMap(({ lb_endpoints }) =>
    lb_endpoints.map(({ endpoint }) => address(endpoint)),
  )
  return { [resource.name]: addresses }
}

function address(endpoint: unknown): string {
  const socket = (endpoint as { address: { socket_address: { address: string; port_value: number } } })
    .address.socket_address
  return `${socket.address} ${socket.port_value}`
}
