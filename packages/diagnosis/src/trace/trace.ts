/** A URL and a cluster → each step on the way of its request, and the first that is broken. Pure. */
import { requestOf, traceRequest } from '@landfall/ingress/routing'
import type { ClusterView } from '../cluster-view.ts'
import { worldOf } from '../facts/world.ts'
import { traceAddress } from './address.ts'
import { traceAnnouncement } from './announcement.ts'
import { traceBackends } from './backends.ts'
import { isEnvoy, traceEntry } from './entry.ts'
import type { Entry } from './entry-point.ts'
import { tracePool } from './pool.ts'
import { traceRoute } from './route.ts'
import { type Standings, withStandings } from './standings.ts'
import { doubtful, type Step, type StepName, skipped } from './step.ts'
import type { Target } from './target.ts'
import { traceListener, traceVirtualHost } from './virtual-host.ts'

export interface Trace {
  readonly url: string
  /** Nothing is broken, as far as can be told. */
  readonly ok: boolean
  readonly steps: readonly Step[]
  /** The first that is. */
  readonly broken: Step | undefined
}

/** All steps but the try itself, and where that would go. */
export interface Traced {
  readonly steps: readonly Step[]
  /** '' where there is none. */
  readonly address: string
  /** Nodes that announce it; [] where they are not known. */
  readonly announcers: readonly string[]
  /** Envoy is expected to answer, and to say that it is Envoy. */
  readonly byEnvoy: boolean
}

export function traceObjects(
  view: ClusterView,
  target: Target,
  standings: Standings = { kind: 'notAsked' },
): Traced {
  const { step, entry } = traceAddress(view, target)
  if (entry === undefined) {
    const rest: readonly StepName[] = ['pool', 'announcement', 'entry']
    const missing = rest.map((name) => skipped(name, 'there is no address'))
    return {
      steps: [step, ...missing, ...traceHttp(view, undefined, target, standings)],
      address: '',
      announcers: [],
      byEnvoy: false,
    }
  }
  const { observed } = view
  const announcement = traceAnnouncement(observed, entry)
  const arrival = traceEntry(view, entry, target.toPort, announcement.nodes)
  const steps = [step, tracePool(observed, entry), followedBy(announcement.step, arrival), arrival]
  const envoy = isEnvoy(entry, view)
  if (envoy) {
    const behind = traceHttp(view, entry, target, standings)
    steps.push(...(arrival.state === 'broken' ? behind.map(meant) : behind))
  }
  const byEnvoy = envoy && view.serving.options.listeners.serverHeader === 'overwrite'
  return { steps, address: entry.address, announcers: announcement.nodes, byEnvoy }
}

/** That nothing is announced while no endpoint is ready is as it should be: the endpoints are the matter. */
function followedBy(announcement: Step, arrival: Step): Step {
  if (announcement.reason !== 'noEndpoints' || arrival.state !== 'broken') return announcement
  return doubtful('announcement', 'noEndpoints', 'nobody announces it while no endpoint is ready')
}

/** What an Envoy would do by the objects, while none takes the request. */
function meant(step: Step): Step {
  if (step.state !== 'ok' || !['listener', 'virtual host', 'route', 'cluster'].includes(step.name))
    return step
  const message =
    step.name === 'listener' ? `no Envoy takes it; by the objects: ${step.message}` : step.message
  return { ...skipped(step.name, message), details: step.details }
}

/** `entry`: undefined where nothing leads to Envoy yet; what it would serve is told all the same. */
function traceHttp(
  view: ClusterView,
  entry: Entry | undefined,
  target: Target,
  standings: Standings,
): readonly Step[] {
  const { observed, serving } = view
  const { mergeSlashes } = serving.options.listeners
  const { changes } = observed
  const found = traceRequest(changes, worldOf(changes), serving.options, requestOf(target, { mergeSlashes }))
  const virtualHost = traceVirtualHost(view, target, found)
  const route = traceRoute(observed.places, target, found)
  const steps = [
    entry === undefined
      ? skipped('listener', 'no Service leads to Envoy')
      : traceListener(view, entry, target),
    virtualHost,
    virtualHost.reason === 'EnvoyRefused' && route.state === 'ok'
      ? skipped('route', `not taken by Envoy: ${route.message}`)
      : route,
    ...traceBackends(view, found),
  ]
  return withStandings(steps, view, standings, { scheme: target.scheme, found })
}

export function concluded(url: string, steps: readonly Step[]): Trace {
  const broken = steps.find(({ state }) => state === 'broken')
  const told = broken === undefined ? steps : steps.map((step) => inSpiteOf(broken, step))
  return { url, ok: broken === undefined, steps: told, broken }
}

/** An answer is no proof that all is well. */
function inSpiteOf(broken: Step, step: Step): Step {
  if (step.name !== 'request' || step.state !== 'ok') return step
  const { details } = step
  return doubtful('request', 'answeredAllTheSame', `${step.message}, though ${broken.name} is broken`, {
    details,
  })
}
