/** Steps 5 and 6: Envoy's listener, and the virtual host on it that has the name. */
import { isOurClass, type RequestTrace } from '@landfall/ingress/routing'
import { keyOf, splitKey } from '@landfall/kube/model'
import type { ClusterView } from '../cluster-view.ts'
import { type About, adviceOn, editing } from '../facts/advice.ts'
import { conditionOf } from '../facts/condition.ts'
import { adviceOnRefusal, refusalText } from '../facts/envoy-refusal.ts'
import { adviceOnObject } from '../facts/object-advice.ts'
import { translated } from '../facts/translated.ts'
import { classAdvice, classOf, classText } from '../status/objects.ts'
import { podsOf } from '../status/programs.ts'
import { claimantsOf } from './claimants.ts'
import { portOf } from './entry.ts'
import type { Entry } from './entry-point.ts'
import { ownerOf } from './route-text.ts'
import { broken, doubtful, fine, type Step, unknown } from './step.ts'
import type { Target } from './target.ts'

/** The listener that the Service's port leads to. */
export function traceListener(view: ClusterView, entry: Entry, target: Target): Step {
  const step = 'listener'
  const { serving, observed } = view
  const { http, https } = serving.options.listeners
  const port = portOf(entry, target.toPort)
  const number = typeof port?.targetPort === 'number' ? port.targetPort : 0
  const listener = number === http.port ? 'http' : number === https.port ? 'https' : undefined
  const name = `ingress_${listener ?? target.scheme}`
  if (port === undefined) return unknown(step, 'portNotServed', `no port of the Service leads there`)
  if (!translated(view).snapshot().listeners.has(name)) {
    const message = `${name} is off, and its port refuses connections: no valid virtual host uses it`
    if (name === 'ingress_https' && observed.secrets.gap !== undefined)
      return unknown(step, 'notReadable', 'Secrets cannot be read: whether a host has TLS cannot be told')
    // Why none is served is found at the next step.
    return doubtful(step, 'noVirtualHost', message)
  }
  // A port that has a name in the pod's own words cannot be told from here.
  if (number === 0) return fine(step, `${name}, by the port's name "${port.targetPort}"`)
  if (listener === undefined) {
    const message = `port ${target.toPort} leads to port ${number} of Envoy, where nothing listens (http ${http.port}, https ${https.port})`
    const next = `Correct targetPort of the Service (${editing('Service', keyOf(entry.service.meta))}), or the flags --envoy-service-http(s)-port of contour serve: kubectl -n ${observed.places.ingress} edit deployment contour`
    return broken(step, 'portWithoutListener', message, { next })
  }
  if (listener !== target.scheme) {
    const message = `port ${target.toPort} is ${name}, and the URL says ${target.scheme}`
    return broken(step, 'wrongScheme', message, {
      next: `Use ${listener}:// for this port: landfall trace ${withScheme(target, listener)}`,
    })
  }
  return fine(step, `${name}, port ${number}`)
}

export function traceVirtualHost(view: ClusterView, target: Target, found: RequestTrace): Step {
  const step = 'virtual host'
  const { host, served } = found
  if (host === undefined || served === undefined) return unserved(view, target, found)
  const refused = refusalOf(view, found, ['scopes', 'routes', 'secrets'])
  if (refused !== undefined) {
    return broken(step, 'EnvoyRefused', refused, {
      next: adviceOnRefusal(found.root ?? '', refused, view.observed.places),
    })
  }
  const how = served.secret === undefined ? '' : `, certificate of Secret ${served.secret}`
  const name = host === '*' ? '* (the default host)' : host
  const message = `${name}${found.root === undefined ? '' : `, of HTTPProxy ${found.root}`}${how}`
  const problems = problemLines(found)
  const unseen = unseenOf(view, found)
  if (problems.length === 0 && unseen !== '') {
    const { pods } = view.observed
    const isUp = pods.gap !== undefined || podsOf(view.observed, 'contour').some(({ ready }) => ready)
    const judge = isUp ? doubtful : broken
    const next = `See that contour is ready: kubectl -n ${view.observed.places.ingress} get pods -l app=contour`
    return judge(
      step,
      'notReconciled',
      `${message}; ${unseen}${isUp ? '' : ', and none of its pods is ready'}`,
      { next },
    )
  }
  if (problems.length === 0) return fine(step, message)
  const [first] = found.outcomes.flatMap(({ kind, key, problems: all }) =>
    all.map((problem) => ({ ...problem, kind: kindText(kind), name: key })),
  )
  const about: About = { kind: '', name: '', ...first, places: view.observed.places }
  const more = { details: problems, next: adviceOn(first?.reason ?? '', about, first?.message) }
  return doubtful(step, first?.reason ?? '', `${message}; not all of it is well`, more)
}

/** That `serve` has not said that it has seen the HTTPProxy as it is; '' where it has. */
function unseenOf({ observed }: ClusterView, { root }: RequestTrace): string {
  const proxy = observed.proxies.items.find(({ meta }) => keyOf(meta) === root)
  if (proxy === undefined) return ''
  const valid = proxy.status?.conditions?.find(({ type }) => type === 'Valid')
  const seen = valid?.observedGeneration
  if (valid === undefined) return 'contour serve has not looked at it yet'
  return seen !== undefined && seen < proxy.meta.generation
    ? `contour serve has not looked at its newest form yet (generation ${proxy.meta.generation}, seen ${seen})`
    : ''
}

/** What an Envoy refuses of the host, of these types; undefined: nothing that anybody says. */
export function refusalOf(
  { observed }: ClusterView,
  { root = '', served }: RequestTrace,
  types: readonly string[],
): string | undefined {
  const proxy = observed.proxies.items.find(({ meta }) => keyOf(meta) === root)
  const said = proxy && conditionOf(proxy, 'Programmed')
  if (said?.status !== 'False') return undefined
  const contents = proxy?.status?.conditions?.find(({ type }) => type === 'Programmed')?.errors ?? []
  const concerned = contents.filter(({ message }) => types.some((type) => message.startsWith(`${type} `)))
  if (contents.length > 0 && concerned.length === 0) return undefined
  const words = contents.length === 0 ? said.message : concerned.map(({ message }) => message).join('; ')
  const routes = served?.kind === 'http' ? served.routes : []
  return `HTTPProxy ${root}: ${refusalText(words, routes, root)}`
}

function unserved(view: ClusterView, target: Target, found: RequestTrace): Step {
  const step = 'virtual host'
  const { observed } = view
  const gap = [observed.proxies, observed.ingresses]
    .map((one) => one.gap)
    .find((one) => one?.why === 'forbidden')
  if (gap !== undefined) return unknown(step, 'notReadable', gap.message)
  const claimants = claimantsOf(view, target.host)
  const strangers = claimants.filter((one) => !isTaken(view, one))
  const errors = found.outcomes.flatMap(({ kind, key, problems }) =>
    problems.filter(({ severity }) => severity === 'error').map((problem) => ({ kind, key, ...problem })),
  )
  const [first] = errors
  if (first !== undefined && observed.secrets.gap !== undefined && first.type === 'TLSError') {
    const told = toldErrors(view, found)
    if (told.length > 0) {
      const about: About = { kind: 'HTTPProxy', name: found.root ?? '', places: observed.places }
      const message = `${target.host} is not served: HTTPProxy ${found.root} says: ${told[0]?.message ?? ''}`
      return broken(step, told[0]?.reason ?? '', message, {
        next: adviceOn(told[0]?.reason ?? '', about, message),
      })
    }
    const { namespace, name } = splitKey(found.root ?? first.key)
    const message = `${target.host} has a certificate, and Secrets cannot be read: whether it is served cannot be told`
    return unknown(step, 'notReadable', message, {
      next: `Its status says whether it is valid: kubectl -n ${namespace} describe httpproxy ${name}`,
    })
  }
  if (first !== undefined) {
    const message = `${target.host} is not served: ${kindText(first.kind)} ${first.key}: ${first.message}`
    return broken(step, first.reason, message, {
      next: adviceOnObject(observed, { kind: kindText(first.kind), name: first.key }, first),
      details: problemLines(found).slice(1),
    })
  }
  if (found.elsewhere.length > 0) return otherSide(target, found)
  const [stranger] = strangers
  if (stranger !== undefined) {
    const message = `${stranger.kind} ${keyOf(stranger.meta)} names ${target.host}, and is of class "${classOf(stranger.meta.annotations, stranger.field)}"; contour serve takes ${classText(view.serving.options.classes)}`
    return broken(step, 'otherIngressClass', message, {
      next: classAdvice(stranger.kind, stranger.meta, view.serving.options.classes),
    })
  }
  if (target.isAddress) {
    const message = `no virtual host takes a request without a name${target.scheme === 'https' ? ' over TLS' : ''}`
    const next = `Ask by name: landfall trace ${target.scheme}://NAME/ --address ${target.authority}; or define an Ingress without a host: kubectl -n NAMESPACE create ingress NAME --rule='/*=SERVICE:PORT'`
    return broken(step, 'noDefaultHost', message, { next })
  }
  const message = `no Ingress and no HTTPProxy names ${found.names.join(' or ')}${nearest(view)}`
  const next = `Correct the name, or create an Ingress (or an HTTPProxy, as in examples/hello.yaml): kubectl -n NAMESPACE create ingress NAME --rule='${target.host}/*=SERVICE:PORT'`
  return broken(step, 'hostUnknown', message, { next })
}

/** What its own status says, which whoever may read Secrets has written. */
function toldErrors({ observed }: ClusterView, { root }: RequestTrace) {
  const proxy = observed.proxies.items.find(({ meta }) => keyOf(meta) === root)
  return proxy?.status?.conditions?.find(({ type }) => type === 'Valid')?.errors ?? []
}

function otherSide(target: Target, found: RequestTrace): Step {
  const [host = ''] = found.elsewhere
  if (target.scheme === 'https') {
    const message = `${host} is served over plain HTTP alone: it asks for no TLS`
    const { kind, name } = ownerOf(found)
    const edit = name === '' ? '' : ` (${editing(kind, name)})`
    const next = `Give the HTTPProxy virtualhost.tls, the Ingress spec.tls${edit}, or use plain HTTP: landfall trace ${withScheme(target, 'http')}`
    return broken('virtual host', 'noTLS', message, { next })
  }
  const message = `${host} is served over TLS alone`
  return broken('virtual host', 'onlyTLS', message, {
    next: `Use TLS: landfall trace ${withScheme(target, 'https')}`,
  })
}

function withScheme({ url }: Target, scheme: string): string {
  return url.replace(/^https?/, scheme)
}

function isTaken({ serving }: ClusterView, { meta, field }: ReturnType<typeof claimantsOf>[number]): boolean {
  return isOurClass(meta, field, serving.options.classes)
}

function nearest(view: ClusterView): string {
  const hosts = [...new Set(view.observed.proxies.items.flatMap(({ spec }) => spec.virtualhost?.fqdn ?? []))]
  const some = hosts.toSorted().slice(0, 5)
  return some.length === 0 ? '' : `; hosts of HTTPProxies here: ${some.join(', ')}`
}

const kinds = { httpProxy: 'HTTPProxy', ingress: 'Ingress', extensionService: 'ExtensionService' } as const

export function kindText(kind: keyof typeof kinds): string {
  return kinds[kind]
}

export function problemLines({ outcomes }: RequestTrace): readonly string[] {
  return outcomes.flatMap(({ kind, key, problems }) =>
    problems.map(({ reason, message }) => `${kindText(kind)} ${key}: ${reason}: ${message}`),
  )
}
