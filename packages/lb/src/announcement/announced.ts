/**
 * What the speakers report of a Service → what its condition `metallb.io/Announced` says (pure): from which node, or
 * why not. Of BGP the nodes are not named: they say so one after the other, come and go, and each of their words would be
 * a write to every Service.
 */
import type { Announcing } from './report.ts'

/** Of a condition. */
export interface Said {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

/** In milliseconds, what a node said that announces no more is deleted by then. */
const partingMs = 60_000

export interface Reported {
  readonly layer2: readonly Announcing[]
  readonly bgp: readonly Announcing[]
}

/**
 * @param hasAddress otherwise there is nothing to announce
 * @param complete the reports of both protocols may be read
 * @param now milliseconds since 1970
 * @returns undefined: nothing is known
 */
export function announcedOf(
  { layer2, bgp }: Reported,
  hasAddress: boolean,
  complete: boolean,
  now: number,
): Said | undefined {
  if (!hasAddress)
    return { status: 'False', reason: 'noIPAllocated', message: 'there is no address to announce' }
  const sides = [
    { name: 'layer 2', ...sideOf(layer2, now) },
    { name: 'BGP', ...sideOf(bgp, now) },
  ]
  const by = sides.filter(({ announces }) => announces)
  const silences = sides.flatMap(({ name, silence }) => (silence === undefined ? [] : [{ name, ...silence }]))
  const why = (named: boolean) => [
    ...new Set(silences.map(({ name, message }) => (named ? `not by ${name}: ${message}` : message))),
  ]
  if (by.length > 0) {
    const texts = by.map(({ name, nodes }) => `by ${name}${from(nodes)}`)
    const parts = [...texts, ...by.flatMap(({ missing }) => missing), ...why(true)]
    return { status: 'True', reason: 'Announced', message: parts.join('; ') }
  }
  const [first] = silences
  if (first !== undefined) {
    const messages = why(false)
    const message = (messages.length > 1 ? why(true) : messages).join('; ')
    return { status: 'False', reason: first.reason, message }
  }
  if (!complete) return undefined
  return { status: 'Unknown', reason: 'notReported', message: 'no speaker has reported on it yet' }
}

interface Side {
  readonly announces: boolean
  /** Sorted. */
  readonly nodes: readonly string[]
  /** What of it is not announced. */
  readonly missing: readonly string[]
  readonly silence: Pick<Announcing, 'reason' | 'message'> | undefined
}

/** From when on all are named that say that they announce it, in milliseconds since 1970; undefined: it is one at most. */
export function allNamedAt({ layer2 }: Reported): number | undefined {
  const announcing = layer2.filter(isAnnouncing)
  return announcing.length > 1 ? Date.parse(latestOf(announcing)) + partingMs : undefined
}

function sideOf(reports: readonly Announcing[], now: number): Side {
  const announcing = reports.filter(isAnnouncing)
  const silences = reports.filter(({ reason }) => reason !== '')
  const order = ({ node, reason, message }: Announcing) => `${node} ${reason} ${message}`
  const [silence] = silences.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
  // What one said that is dead stands beside it until it is deleted; what stands longer holds, too.
  const latest = latestOf(announcing)
  const isYoung = now - Date.parse(latest) < partingMs
  const heeded = announcing.filter(({ since }) => !isYoung || since === latest)
  const texts = (all: readonly string[]) => [...new Set(all)].filter((text) => text !== '').toSorted()
  return {
    announces: announcing.length > 0,
    nodes: texts(heeded.map(({ node }) => node)),
    missing: texts(heeded.map(({ message }) => message)),
    silence,
  }
}

function isAnnouncing({ ofNode, reason }: Announcing): boolean {
  return ofNode && reason === ''
}

function latestOf(announcing: readonly Announcing[]): string {
  return (
    announcing
      .map(({ since }) => since)
      .toSorted()
      .at(-1) ?? ''
  )
}

function from(nodes: readonly string[]): string {
  if (nodes.length === 0) return ''
  return ` from ${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')}`
}
