/**
 * For tests: what objects of `randomWorld` ask for, that is not served, and of which no object is told anything. Looks at
 * the objects, at who serves what, and at what is said; not at how it came about.
 */
import type { HTTPProxy } from '@landfall/api'
import { type Ingress, type Key, keyOf } from '@landfall/kube/model'
import type { Route, VirtualHost } from '../dag/virtual-host.ts'
import type { Engine } from '../engine/engine.ts'
import { ruleHost } from '../model/host-index.ts'
import { isOurIngress, isOurProxy } from '../model/ingress-class.ts'
import type { Change } from '../model/objects.ts'
import { markOf } from './random-objects.ts'

interface Judged {
  readonly engine: Engine
  readonly hosts: ReadonlyMap<string, VirtualHost>
}

export function silentParts(engine: Engine, changes: readonly Change[]): readonly string[] {
  const judged = { engine, hosts: new Map([...engine.virtualHosts()].map((host) => [host.host, host])) }
  const proxies = new Map<Key, HTTPProxy>()
  for (const { kind, key, after } of changes)
    if (kind === 'httpProxy' && after !== undefined && isOurProxy(after, [])) proxies.set(key, after)
  const ingresses = changes.flatMap(({ kind, after }) =>
    kind === 'ingress' && after !== undefined && isOurIngress(after, []) ? [after] : [],
  )
  const clusters = new Set(engine.snapshot().clusters.keys())
  return [
    ...[...proxies.values()].flatMap((proxy) => silentTree(proxy, proxies, judged)),
    ...ingresses.flatMap((ingress) => silentPaths(ingress, judged)),
    ...changes.flatMap(({ kind, key }) =>
      kind === 'extensionService' && errors(engine, kind, key) && clusters.has(`extension/${key}`)
        ? [`ExtensionService ${key} is told of an error and asked all the same`]
        : [],
    ),
  ]
}

function errors(engine: Engine, kind: 'httpProxy' | 'extensionService', key: Key): boolean {
  return engine.verdict(kind, key).problems.some(({ severity }) => severity === 'error')
}

function routesOf(host: VirtualHost | undefined): readonly Route[] {
  const secure = host?.secure?.kind === 'http' ? host.secure.routes : []
  return [...(host?.plain ?? []), ...secure]
}

/** Of a root without errors its own routes, and those of all below it that have none, nor anything between. */
function silentTree(
  root: HTTPProxy,
  proxies: ReadonlyMap<Key, HTTPProxy>,
  { engine, hosts }: Judged,
): readonly string[] {
  const name = root.spec.virtualhost?.fqdn
  if (name === undefined) return []
  const host = hosts.get(name)
  const served = routesOf(host)
  const silent: string[] = []
  const looked = new Set<Key>()
  const look = (proxy: HTTPProxy): void => {
    const key = keyOf(proxy.meta)
    if (looked.has(key) || errors(engine, 'httpProxy', key)) return
    looked.add(key)
    const marked = ({ owner, match }: Route) =>
      owner === `HTTPProxy/${key}` && match.path.value.endsWith(markOf(key))
    if (proxy.spec.routes !== undefined && !served.some(marked))
      silent.push(`${name}: no route of HTTPProxy ${key}`)
    for (const include of proxy.spec.includes ?? []) {
      const child = proxies.get(`${include.namespace || proxy.meta.namespace}/${include.name}`)
      if (child === undefined) silent.push(`HTTPProxy ${key} includes what is not there`)
      else look(child)
    }
  }
  look(root)
  // What is wrong with those below is told to them alone.
  const alone = looked.size > 0 && root.spec.includes === undefined
  if (alone && host === undefined) silent.push(`${name} is not served`)
  return silent
}

/** Paths that none of ours is told of, and that neither are served nor belong to somebody else. */
function silentPaths(ingress: Ingress, { engine, hosts }: Judged): readonly string[] {
  const key = keyOf(ingress.meta)
  const { problems } = engine.verdict('ingress', key)
  const told = (field: string) => problems.some(({ message }) => message.startsWith(field))
  const served = (host: string, field: string) =>
    routesOf(hosts.get(host)).some(({ owner, rule }) => owner === `Ingress/${key}` && rule === field)
  const closed = told('metadata.annotations["kubernetes.io/ingress.allow-http"]')
  const paths = ingress.rules.flatMap(({ host, paths }, index) =>
    paths.map(({ path }, at) => ({
      host: ruleHost(host),
      path,
      field: `spec.rules[${index}].http.paths[${at}]`,
    })),
  )
  const all =
    ingress.defaultBackend === undefined
      ? paths
      : [...paths, { host: '*', path: '/', field: 'spec.defaultBackend' }]
  return all.flatMap(({ host, path, field }) => {
    const found = hosts.get(host)
    const bare = (text: string) => text.replace(/\/+$/, '')
    const taken = routesOf(found).some(({ match }) => bare(match.path.value) === bare(path))
    const here = `Ingress ${key} ${field}`
    if (!served(host, field) && !told(field) && !taken && !closed) return [`${here} is silent`]
    const wanted = ingress.tls.some(({ hosts, secretName }) => secretName !== '' && hosts.includes(host))
    return wanted && served(host, field) && found?.secure === undefined && !told('spec.tls')
      ? [`${here} has no TLS`]
      : []
  })
}
