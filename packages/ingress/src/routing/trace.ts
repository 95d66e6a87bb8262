/**
 * What becomes of one request: listener, virtual host, route. By the same translation of the same objects that Envoy is
 * programmed with; only that of the names that may serve the request is looked at.
 */
import type { Key } from '@landfall/kube/model'
import type { Outcome } from '../dag/outcome.ts'
import { translateHost } from '../dag/translate.ts'
import type { Route, SecureSide, VirtualHost } from '../dag/virtual-host.ts'
import type { EngineOptions } from '../engine/engine-options.ts'
import { HostIndex } from '../model/host-index.ts'
import { recordingLookups } from '../model/lookups.ts'
import type { Change, World } from '../model/objects.ts'
import { takes } from './matching.ts'
import type { Request } from './request.ts'

export interface RequestTrace {
  /** Virtual hosts that may take it, the first that is served does: the name itself, its wildcard, the default host. */
  readonly names: readonly string[]
  /** undefined: none of them is served on this listener. */
  readonly host: string | undefined
  readonly served: Served | undefined
  /** Names that exist on the other listener alone. */
  readonly elsewhere: readonly string[]
  /** The root HTTPProxy that has the name, served or not. */
  readonly root: Key | undefined
  /** What was said of the objects that name the hosts. */
  readonly outcomes: readonly Outcome[]
}

export type Served =
  /** `secret` of the certificate; undefined on the plain listener. */
  | {
      readonly kind: 'http'
      readonly secret: string | undefined
      readonly routes: readonly Route[]
      /** undefined: none takes it, the answer is 404. */
      readonly route: Route | undefined
    }
  | { readonly kind: 'tcp'; readonly secret: string | undefined; readonly targets: TcpTargets }

type TcpTargets = Extract<SecureSide, { readonly kind: 'tcp' }>['targets']

export function traceRequest(
  changes: readonly Change[],
  world: World,
  { classes, dag }: Pick<EngineOptions, 'classes' | 'dag'>,
  request: Request,
): RequestTrace {
  const hosts = new HostIndex(world, classes)
  for (const change of changes) hosts.apply(change)
  const names = namesOf(request)
  const found = names
    .filter((name) => hosts.ingresses(name).length + hosts.proxies(name).length > 0)
    .map((name) => ({ name, ...translateHost(name, recordingLookups(world, hosts, classes), dag) }))
  const taken = found.find(({ virtualHost }) => sideOf(virtualHost, request) !== undefined)
  const elsewhere = found.filter(
    ({ virtualHost }) => virtualHost !== undefined && sideOf(virtualHost, request) === undefined,
  )
  return {
    names,
    host: taken?.name,
    served: sideOf(taken?.virtualHost, request),
    elsewhere: elsewhere.map(({ name }) => name),
    root: (taken ?? found[0])?.root,
    outcomes: found.flatMap(({ outcomes }) => outcomes),
  }
}

/** As `envoy/scope-key.ts` looks for scopes. Over TLS there is no default host. */
export function namesOf({ host, scheme, isAddress }: Request): readonly string[] {
  const dot = host.indexOf('.')
  const wildcard = isAddress || dot < 1 ? [] : [`*${host.slice(dot)}`]
  return [host, ...wildcard, ...(scheme === 'http' ? ['*'] : [])]
}

/** What the virtual host serves on the listener of the request. */
function sideOf(found: VirtualHost | undefined, request: Request): Served | undefined {
  if (found === undefined) return undefined
  const { plain, secure } = found
  const http = (routes: readonly Route[], secret?: string): Served => ({
    kind: 'http',
    secret,
    routes,
    route: routes.find(({ match }) => takes(match, request)),
  })
  if (request.scheme === 'http') return plain.length === 0 ? undefined : http(plain)
  if (secure === undefined) return undefined
  if (secure.kind === 'tcp') {
    if (request.isAddress) return undefined
    return { kind: 'tcp', secret: secure.tls?.settings.secret, targets: secure.targets }
  }
  // Who names no host in the handshake is shown the fallback certificate, where the host allows it.
  const shown = request.isAddress ? secure.fallback : secure.tls
  return shown === undefined ? undefined : http(secure.routes, shown.settings.secret)
}
