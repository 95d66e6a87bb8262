/**
 * `authorization` of a root HTTPProxy and `authPolicy` of its routes: which server is asked, and for which requests.
 * The most specific `disabled` counts; what the server is told beside the request is merged, inner keys first.
 */
import type { AuthorizationPolicy, AuthorizationServer, HTTPProxy } from '@landfall/api'
import type { Key } from '@landfall/kube/model'
import type { Authorization, NameMatch } from '../access.ts'
import type { Limit } from '../cluster.ts'
import { type Extension, translateExtension } from '../extension-service.ts'
import type { AuthorizationRule } from '../filters.ts'
import type { DagOptions, GlobalAuthorization } from '../options.ts'
import { type Checked, error, ok, type Problem, refused, warning } from '../problem.ts'
import type { Reading } from '../reading.ts'
import { readLimit } from './durations.ts'
import { ignored } from './ignored-fields.ts'

/** What a host says for its routes. */
export interface HostAuthorization {
  /** undefined: nobody is asked on any route. */
  readonly server: Authorization | undefined
  readonly rule: AuthorizationRule
  /** It asks for authorization, which may be refused. */
  readonly asked: boolean
}

export const noAuthorization: HostAuthorization = { server: undefined, rule: { kind: 'skip' }, asked: false }

const field = 'spec.virtualhost.authorization'
const onlyVersion = 'projectcontour.io/v1alpha1'

/** What holds where a host says nothing. A server that is not there answers nobody. */
export function globalAuthorization({ lookups, options }: Reading): HostAuthorization {
  const asked = options.globalAuthorization
  if (asked === undefined) return noAuthorization
  const { extensionService: key, server } = asked
  const extension = extensionAt(key, { lookups, options })
  const timeout = readLimit(server.responseTimeout)
  const service = serviceOf(server, () => undefined)
  return {
    server: authorization(key, extension, service, server, timeout === 'invalid' ? undefined : timeout),
    rule: ruleOf(server.authPolicy, { kind: 'ask', context: {} }),
    asked: false,
  }
}

/** What is wrong with the settings of the global server; its ExtensionService aside. */
export function globalProblems({ server }: GlobalAuthorization): readonly string[] {
  const problems: string[] = []
  if (readLimit(server.responseTimeout) === 'invalid')
    problems.push(`.responseTimeout: "${server.responseTimeout}" is no duration such as 1s, nor infinity`)
  serviceOf(server, (_reason, message) => problems.push(message))
  if (server.serviceType === 'http' && hasContext(server.authPolicy))
    problems.push('.authPolicy.context: a server over HTTP gets none')
  return problems
}

/** @param secure the host ends TLS */
export function readAuthorization(
  root: HTTPProxy,
  secure: boolean,
  reading: Reading,
): Checked<HostAuthorization> {
  const asked = root.spec.virtualhost?.authorization
  const above = globalAuthorization(reading)
  if (asked === undefined) return ok(above)
  if (asked.extensionRef === undefined && (above.server !== undefined || ofServer(asked).length === 0))
    return ok(under(above, asked))
  const problems: Problem[] = []
  const refuse = (reason: string, message: string): void => {
    problems.push(error('AuthError', reason, `${field}${message}`))
  }
  if (!secure) refuse('AuthNotPermitted', ': only a host that ends TLS, and takes requests, can ask for it')
  const { authPolicy: policy } = asked
  const off = policy?.disabled === true && asked.extensionRef === undefined
  const http = asked.serviceType === 'http'
  if (http && hasContext(policy))
    refuse('AuthContextForHTTP', '.authPolicy.context: a server over HTTP gets none')
  const server = off ? undefined : serverOf(root, asked, reading, refuse)
  if (problems.length > 0) return refused(...problems)
  const rule = ruleOf(policy, { kind: 'ask', context: {} })
  return ok({ server, rule: off ? { kind: 'skip' } : rule, asked: true })
}

/** Of the host only the word on whether to ask, and what to tell, counts. */
function under(above: HostAuthorization, { authPolicy }: AuthorizationServer): HostAuthorization {
  return { ...above, rule: ruleOf(authPolicy, above.rule), asked: true }
}

/** What a host says of a server without naming one. The schema says `grpc` by itself. */
function ofServer(asked: AuthorizationServer): readonly string[] {
  const names = ['httpSettings', 'responseTimeout', 'failOpen', 'withRequestBody'] as const
  const said = names.filter((name) => asked[name] !== undefined && asked[name] !== false)
  return asked.serviceType === 'http' ? ['serviceType', ...said] : said
}

/** Of a host that names no server, and leaves it to the configuration what is asked how. */
export function ignoredOfServer(
  { spec }: HTTPProxy,
  { globalAuthorization: above }: DagOptions,
): readonly Problem[] {
  const asked = spec.virtualhost?.authorization
  if (asked === undefined || asked.extensionRef !== undefined) return []
  if (above !== undefined)
    return ofServer(asked).map((name) =>
      ignored(`${field}.${name}: ignored, as the configuration says this of the server of all hosts`),
    )
  const isIdle = hasContext(asked.authPolicy) && asked.authPolicy?.disabled !== true
  const why = 'as neither extensionRef nor the configuration (globalExtAuth) names a server to ask'
  return isIdle ? [ignored(`${field}.authPolicy: ignored, ${why}`)] : []
}

/** undefined: as the host says. */
export function readRouteAuthorization(
  at: string,
  policy: AuthorizationPolicy | undefined,
  host: HostAuthorization,
): Checked<{ readonly rule: AuthorizationRule | undefined; readonly warnings: readonly Problem[] }> {
  if (policy === undefined) return ok({ rule: undefined, warnings: [] })
  const { server } = host
  if (server === undefined) {
    const message = `${at}.authPolicy: ignored, as the host asks no authorization server`
    const idle = host.asked || (policy.disabled === true && !hasContext(policy))
    return ok({ rule: undefined, warnings: idle ? [] : [warning('SpecError', 'IgnoredField', message)] })
  }
  if (server.service.kind === 'http' && hasContext(policy)) {
    const message = `${at}.authPolicy.context: a server over HTTP gets none`
    return refused(error('AuthError', 'AuthContextForHTTP', message))
  }
  return ok({ rule: ruleOf(policy, host.rule), warnings: [] })
}

function hasContext(policy: AuthorizationPolicy | undefined): boolean {
  return Object.keys(policy?.context ?? {}).length > 0
}

function ruleOf(policy: AuthorizationPolicy | undefined, above: AuthorizationRule): AuthorizationRule {
  if (policy === undefined) return above
  if (policy.disabled === true) return { kind: 'skip' }
  return { kind: 'ask', context: { ...(above.kind === 'ask' ? above.context : {}), ...policy.context } }
}

function serverOf(
  root: HTTPProxy,
  asked: AuthorizationServer,
  reading: Reading,
  refuse: (reason: string, message: string) => void,
): Authorization | undefined {
  const { apiVersion = onlyVersion, namespace, name = '' } = asked.extensionRef ?? {}
  if (apiVersion !== onlyVersion)
    refuse('AuthBadResourceVersion', `.extensionRef.apiVersion: "${apiVersion}" is not ${onlyVersion}`)
  const key = `${namespace ?? root.meta.namespace}/${name}`
  const extension = extensionAt(key, reading)
  if (extension?.cluster === undefined) {
    const why = extension === undefined ? 'not found' : 'not valid, see its status'
    refuse('ExtensionServiceNotFound', `.extensionRef: ExtensionService "${key}" is ${why}`)
  }
  const timeout = readLimit(asked.responseTimeout)
  if (timeout === 'invalid') {
    const why = `"${asked.responseTimeout}" is no duration such as 1s, nor infinity`
    refuse('AuthResponseTimeoutInvalid', `.responseTimeout: ${why}`)
  }
  const service = serviceOf(asked, refuse)
  if (extension?.cluster === undefined || timeout === 'invalid') return undefined
  return authorization(key, extension, service, asked, timeout)
}

function extensionAt(key: Key, { lookups, options }: Reading): Extension | undefined {
  const found = lookups.extensionService(key)
  return found && translateExtension(found, lookups, options)
}

function authorization(
  key: Key,
  extension: Extension | undefined,
  service: Authorization['service'],
  asked: Omit<AuthorizationServer, 'extensionRef'>,
  timeout: Limit,
): Authorization {
  const [namespace = '', name = ''] = key.split('/')
  const cluster = extension?.cluster
  const { maxRequestBytes, allowPartialMessage, packAsBytes } = asked.withRequestBody ?? {}
  return {
    extension: { namespace, name, sni: cluster?.settings.sni ?? '' },
    cluster,
    service,
    timeout: timeout ?? extension?.timeout,
    failOpen: asked.failOpen === true,
    body: asked.withRequestBody && {
      maxBytes: maxRequestBytes || 1024,
      allowPartial: allowPartialMessage === true,
      asBytes: packAsBytes === true,
    },
  }
}

type HeaderNames = NonNullable<
  NonNullable<AuthorizationServer['httpSettings']>['allowedAuthorizationHeaders']
>

function serviceOf(
  { serviceType, httpSettings: settings }: Omit<AuthorizationServer, 'extensionRef'>,
  refuse: (reason: string, message: string) => void,
): Authorization['service'] {
  if (serviceType !== 'http') return { kind: 'grpc' }
  const names = (name: 'allowedAuthorizationHeaders' | 'allowedUpstreamHeaders') =>
    (settings?.[name] ?? []).flatMap((one, index) => {
      const [match, ...more] = matchesOf(one)
      if (match !== undefined && more.length === 0) return [match]
      const why = 'exactly one of exact, prefix, suffix and contains is needed'
      refuse('AuthBadAllowedHeader', `.httpSettings.${name}[${index}]: ${why}`)
      return []
    })
  const prefix = settings?.pathPrefix ?? ''
  if (prefix !== '' && !prefix.startsWith('/'))
    refuse('AuthBadPathPrefix', `.httpSettings.pathPrefix: "${prefix}" does not start with /`)
  return {
    kind: 'http',
    pathPrefix: prefix,
    asked: names('allowedAuthorizationHeaders'),
    granted: names('allowedUpstreamHeaders'),
  }
}

function matchesOf(one: HeaderNames[number]): readonly NameMatch[] {
  return (['exact', 'prefix', 'suffix', 'contains'] as const).flatMap((kind) => {
    const value = one[kind] ?? ''
    return value === '' ? [] : [{ kind, value, ignoreCase: one.ignoreCase === true }]
  })
}
