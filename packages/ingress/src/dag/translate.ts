/**
 * The unit of translation: one host name → what it serves, and what that says about each object that made it.
 * Reads only through `lookups`. An HTTPProxy's routes and certificate go before those of Ingresses where both
 * match the same; routes that match differently are served side by side.
 */
import type { Key } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { nothing } from './contribution.ts'
import { withDefaultHeaders } from './default-headers.ts'
import { noHostFilters } from './filters.ts'
import { translateIngresses } from './ingress-host.ts'
import type { DagOptions } from './options.ts'
import type { Outcome } from './outcome.ts'
import { globalAuthorization } from './policies/authorization.ts'
import { translateProxies } from './proxy-host.ts'
import { withClientCertificate, withRequiredValidation } from './required-validation.ts'
import { orderRoutes } from './route-order.ts'
import type { SecureSide, VirtualHost } from './virtual-host.ts'

export interface Translation {
  /** undefined: nothing is served under this name. */
  readonly virtualHost: VirtualHost | undefined
  readonly outcomes: readonly Outcome[]
  /** The root HTTPProxy that has the host. */
  readonly root: Key | undefined
}

export function translateHost(host: string, lookups: Lookups, options: DagOptions): Translation {
  const proxies = translateProxies(host, lookups, options)
  const { tls: shown, tcp } = proxies.contribution
  const ingresses = translateIngresses(host, lookups, options, shown !== undefined && tcp === undefined)
  const above = globalAuthorization({ lookups, options })
  // Without an HTTPProxy, or with one that is refused, what holds for all hosts does.
  const owned = proxies.contribution !== nothing
  const both = [ingresses.contribution, proxies.contribution]
  const access = owned ? proxies.contribution.access : { authorization: above.server, providers: [] }
  const filters = owned ? proxies.contribution.filters : { ...noHostFilters, authorization: above.rule }
  const plain = orderRoutes(both.flatMap((contribution) => contribution.plain))
  const routes = orderRoutes(both.flatMap((contribution) => contribution.secure))
  const tls = proxies.contribution.tls ?? ingresses.contribution.tls
  const http: SecureSide | undefined =
    tls === undefined || routes.length === 0
      ? undefined
      : { kind: 'http', tls, routes, access, fallback: proxies.contribution.fallback }
  const secure = proxies.contribution.tcp ?? http
  const empty = plain.length === 0 && secure === undefined
  const plainAccess = { authorization: above.server, providers: [] }
  const virtualHost = withOwners({ host, filters, plain, plainAccess, secure }, options)
  const translation: Translation = {
    virtualHost: empty ? undefined : withDefaultHeaders(virtualHost, options),
    outcomes: [...ingresses.outcomes, ...proxies.outcomes],
    root: proxies.root,
  }
  return withClientCertificate(withRequiredValidation(translation, options), lookups, options)
}

function withOwners(host: VirtualHost, { tellOwners }: DagOptions): VirtualHost {
  if (!tellOwners) return host
  const told = (routes: VirtualHost['plain']) => routes.map((route) => ({ ...route, told: true as const }))
  const { secure } = host
  return {
    ...host,
    plain: told(host.plain),
    secure: secure?.kind === 'http' ? { ...secure, routes: told(secure.routes) } : secure,
  }
}
