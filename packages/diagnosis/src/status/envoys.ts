/** Envoys: is each ready, connected to `serve`, and has it taken its configuration? */
import { keyOf } from '@landfall/kube/model'
import type { ClusterView, EnvoyReading } from '../cluster-view.ts'
import type { Finding } from './finding.ts'
import { podsOf } from './programs.ts'

export interface EnvoyRow {
  readonly name: string
  readonly node: string
  readonly ready: boolean
  readonly reading: EnvoyReading | undefined
}

export function envoyRows({ observed, envoys }: ClusterView): readonly EnvoyRow[] {
  return podsOf(observed, 'envoy')
    .map((pod) => ({
      name: keyOf(pod.meta),
      node: pod.nodeName,
      ready: pod.ready,
      reading: envoys.get(keyOf(pod.meta)),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** That a pod is not ready is found with the programs. */
export function envoyFindings(view: ClusterView): readonly Finding[] {
  return envoyRows(view).flatMap(({ name, reading }): readonly Finding[] => {
    if (reading?.kind !== 'figures') return []
    const { connected, state, warming = 0 } = reading.figures
    const about = { kind: 'Pod', name }
    const found: Finding[] = []
    if (connected === false) {
      const message = 'it has no connection to contour serve: it goes on with the configuration that it has'
      const next = `See that contour is ready, and that envoycert fits its certificate: kubectl -n ${view.observed.places.ingress} logs ${name.split('/')[1] ?? ''} -c envoy`
      found.push({ severity: 'error', ...about, reason: 'envoyNotConnected', message, next })
    }
    if (state === 'draining') {
      const message = 'it is draining: it takes no new connections'
      found.push({ severity: 'warning', ...about, reason: 'envoyDraining', message, next: '' })
    }
    if (warming > 0) {
      const message = `${warming} listeners or clusters wait for what they need (a certificate, endpoints)`
      const next = `If it stays so: kubectl -n ${view.observed.places.ingress} logs -l app=contour --tail=-1 | grep -E 'resourceRefused|objectInvalid'`
      found.push({ severity: 'warning', ...about, reason: 'envoyWarming', message, next })
    }
    return found
  })
}

/** How its configuration stands, in a few words. Its count of refusals tells of the past, unless an object is `refused` now. */
export function configurationText({ ready, reading }: EnvoyRow, refused: boolean): string {
  if (reading === undefined) return 'not asked'
  if (reading.kind === 'unreadable') return `not readable (${reading.why})`
  const { connected, state, listeners, warming = 0, refused: refusals = 0 } = reading.figures
  const counted = `${refusals} ${refusals === 1 ? 'update' : 'updates'} refused`
  const parts = [
    connected === undefined ? '' : connected ? 'connected' : 'NOT connected',
    state === undefined || (state === 'live' && ready) ? '' : state,
    listeners === undefined ? '' : `${listeners} listeners`,
    warming === 0 ? '' : `${warming} warming`,
    refusals === 0 || !refused ? '' : `${counted} since it started`,
  ]
  const now = parts.filter((part) => part !== '').join(', ')
  return refusals === 0 || refused ? now : `${now} (history: ${counted})`
}
