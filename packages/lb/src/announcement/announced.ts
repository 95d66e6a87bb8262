/**
 * What the speakers report of a Service → what its condition `metallb.io/Announced` says (pure): from which nodes, or
 * why not.
 */
import type { Announcing } from './report.ts'

/** Of a condition. */
export interface Said {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

export interface Reported {
  readonly layer2: readonly Announcing[]
  readonly bgp: readonly Announcing[]
}

const mostNodes = 16

/**
 * @param hasAddress otherwise there is nothing to announce
 * @param complete the reports of both protocols may be read
 * @returns undefined: nothing is known
 */
export function announcedOf(
  { layer2, bgp }: Reported,
  hasAddress: boolean,
  complete: boolean,
): Said | undefined {
  if (!hasAddress)
    return { status: 'False', reason: 'noIPAllocated', message: 'there is no address to announce' }
  const sides = [
    { name: 'layer 2', ...sideOf(layer2) },
    { name: 'BGP', ...sideOf(bgp) },
  ]
  const from = sides.filter(({ nodes }) => nodes.length > 0)
  const silences = sides.flatMap(({ name, silence }) => (silence === undefined ? [] : [{ name, ...silence }]))
  const why = (named: boolean) => [
    ...new Set(silences.map(({ name, message }) => (named ? `not by ${name}: ${message}` : message))),
  ]
  if (from.length > 0) {
    const texts = from.map(({ name, nodes }) => `by ${name} from ${list(nodes)}`)
    return { status: 'True', reason: 'Announced', message: [...texts, ...why(true)].join('; ') }
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
  /** Sorted. */
  readonly nodes: readonly string[]
  readonly silence: Pick<Announcing, 'reason' | 'message'> | undefined
}

function sideOf(reports: readonly Announcing[]): Side {
  const sorted = reports.toSorted((a, b) => (a.node < b.node ? -1 : 1))
  return {
    nodes: sorted.filter(({ node, reason }) => node !== '' && reason === '').map(({ node }) => node),
    silence: sorted.find(({ reason }) => reason !== ''),
  }
}

function list(nodes: readonly string[]): string {
  if (nodes.length === 1) return `node ${nodes[0]}`
  if (nodes.length <= mostNodes) return `nodes ${nodes.join(', ')}`
  return `nodes ${nodes.slice(0, mostNodes).join(', ')} and ${nodes.length - mostNodes} more`
}
