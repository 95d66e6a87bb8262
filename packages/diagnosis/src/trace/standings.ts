/** What each Envoy has of a step, as the replica of `serve` knows it that the Envoy follows. */
import { type Cluster, clusterName, type RequestTrace } from '@landfall/ingress/routing'
import type { ClusterView } from '../cluster-view.ts'
import { type About, adviceOn } from '../facts/advice.ts'
import { podsOf } from '../status/programs.ts'
import { clustersOf } from './backends.ts'
import { ownerOf } from './route-text.ts'
import { broken, doubtful, type Step } from './step.ts'
import type { Target } from './target.ts'

export interface Standing {
  readonly type: string
  readonly name: string
  readonly state: 'held' | 'behind' | 'missing' | 'refused'
  readonly words: string
}

export interface EnvoyStanding {
  readonly node: string
  /** What it is to have is made; until then it is sent nothing. */
  readonly published: boolean
  readonly resources: readonly Standing[]
}

export type Standings =
  | { readonly kind: 'notAsked' }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'known'; readonly byHost: ReadonlyMap<string, readonly EnvoyStanding[]> }

type State = Standing['state'] | 'making' | 'unasked' | 'unknown'

const texts: Readonly<Record<State, string>> = {
  held: 'in force',
  behind: 'an older version in force',
  missing: 'not there yet',
  refused: 'refused',
  making: 'connected, and waits until its layout is made',
  unasked: 'has not asked for it',
  unknown: 'connected to no replica of contour that answers',
}
const mostNames = 8

interface Concerned {
  readonly scheme: Target['scheme']
  readonly found: RequestTrace
}

/** The steps with what each Envoy has of them, which may make one a worse one. */
export function withStandings(
  steps: readonly Step[],
  view: ClusterView,
  standings: Standings,
  concerned: Concerned,
): readonly Step[] {
  if (standings.kind === 'notAsked') return steps
  if (standings.kind === 'unreadable') {
    const line = `by the objects alone: contour could not be asked what Envoys have (${standings.why})`
    return steps.map((step) =>
      step.name === 'listener' && step.state === 'ok' ? { ...step, details: [...step.details, line] } : step,
    )
  }
  const envoys = standings.byHost.get(concerned.found.host ?? '') ?? []
  const owner = ownerOf(concerned.found)
  return steps.map((step) => judged(step, view, envoys, (one) => isOf(step, one, concerned), owner))
}

/** What of a host is of which step. */
function isOf({ name: step }: Step, { type, name }: Standing, { scheme, found }: Concerned): boolean {
  switch (step) {
    case 'listener':
      return type === 'listeners' && name === `ingress_${scheme}`
    case 'virtual host':
      return type === 'secrets' && scheme === 'https'
    case 'route':
      // Of the scoped layout, or of Contour's.
      return (
        ['scopes', 'routes'].includes(type) &&
        [`${scheme}/${found.host}`, ...(scheme === 'http' ? ['ingress_http'] : [])].includes(name)
      )
    case 'cluster':
      return type === 'clusters' && clustersOf(found).some((one) => isNamed(name, one, 3))
    case 'endpoints':
      return type === 'endpoints' && clustersOf(found).some((one) => isNamed(name, one, 2))
    default:
      return false
  }
}

/** What comes behind the Service and its port, the layouts say differently. */
function isNamed(name: string, cluster: Cluster, parts: number): boolean {
  const own = clusterName(cluster)
  const start = (text: string) => text.split('/').slice(0, parts).join('/')
  return name === own || (cluster.kind === 'service' && start(name) === start(own))
}

function judged(
  step: Step,
  view: ClusterView,
  envoys: readonly EnvoyStanding[],
  concerns: (one: Standing) => boolean,
  owner: Pick<About, 'kind' | 'name'>,
): Step {
  const known = new Map(envoys.map(({ node, resources }) => [node, resources.filter(concerns)]))
  const waiting = new Set(envoys.flatMap(({ node, published }) => (published ? [] : node)))
  const isConcerned = [...known.values()].some(({ length }) => length > 0)
  if (!isConcerned && (waiting.size === 0 || step.name !== 'listener')) return step
  const byState = Map.groupBy(namesOf(view, known), (name) =>
    waiting.has(name) ? 'making' : stateOf(known.get(name)),
  )
  const details = [...step.details, ...linesOf(byState, known)]
  const count = (state: State): number => byState.get(state)?.length ?? 0
  const [held, behind, missing, refused, making] = [
    count('held'),
    count('behind'),
    count('missing'),
    count('refused'),
    count('making'),
  ]
  if (step.state !== 'ok' || behind + missing + refused + making === 0) return { ...step, details }
  const all = held + behind + missing + refused + making
  // Who waits goes on with what it had.
  const judge = held + behind + making === 0 ? broken : doubtful
  if (refused > 0) {
    const message = `${step.message}; ${refused} of ${all} Envoys refuse it`
    return judge(step.name, 'EnvoyRefused', message, {
      details,
      next: adviceOn('EnvoyRefused', { ...owner, places: view.observed.places }),
    })
  }
  const next = `Trace again: it takes a moment. If it stays so: kubectl -n ${view.observed.places.ingress} logs -l app=contour --tail=-1 | grep -E 'responseRefused|resourceRefused|streamClosed'`
  const late = `${behind + missing} of ${all} Envoys do not have it in its newest form`
  const waits = `${making} of ${all} Envoys wait until their layout is made`
  const message = `${step.message}; ${behind + missing > 0 ? late : waits}`
  return judge(step.name, 'envoyBehind', message, { details, next })
}

/** Pods that are ready, and who else follows. */
function namesOf({ observed }: ClusterView, known: ReadonlyMap<string, unknown>): readonly string[] {
  const ready = podsOf(observed, 'envoy').filter((pod) => pod.ready)
  return [...new Set([...ready.map(({ meta }) => meta.name), ...known.keys()])].toSorted()
}

/** The worst of what it has. */
function stateOf(resources: readonly Standing[] | undefined): State {
  if (resources === undefined) return 'unknown'
  if (resources.length === 0) return 'unasked'
  const states = resources.map(({ state }) => state)
  return (['refused', 'missing', 'behind'] as const).find((state) => states.includes(state)) ?? 'held'
}

function linesOf(
  byState: ReadonlyMap<State, readonly string[]>,
  known: ReadonlyMap<string, readonly Standing[]>,
): readonly string[] {
  return (['held', 'behind', 'missing', 'refused', 'making', 'unasked', 'unknown'] as const).flatMap(
    (state) => {
      const names = byState.get(state) ?? []
      if (names.length === 0) return []
      const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : ''
      const words = names.flatMap((name) => known.get(name) ?? []).find((one) => one.words !== '')?.words
      const said = state === 'refused' && words !== undefined ? `: ${words}` : ''
      return [`Envoy ${names.slice(0, mostNames).join(', ')}${more}: ${texts[state]}${said}`]
    },
  )
}
