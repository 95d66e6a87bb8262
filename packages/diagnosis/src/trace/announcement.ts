/** Step 3: the nodes that announce the address: who answers ARP and NDP, or which routers have routes and over which node. */
import { announcersOf, type BGPAnnouncer } from '../facts/announcers.ts'
import { contentionsOf } from '../facts/contenders.ts'
import type { BalancedService, Observed } from '../observed.ts'
import { podsOf } from '../status/programs.ts'
import { announcementTexts, isOurs, reportsGap, silence } from '../status/services.ts'
import type { Entry } from './entry-point.ts'
import { broken, doubtful, fine, type Step, skipped, unknown } from './step.ts'

export interface AnnouncementFound {
  readonly step: Step
  /** Nodes that traffic comes in over; [] where they are not known. */
  readonly nodes: readonly string[]
}

const step = 'announcement'

export function traceAnnouncement(observed: Observed, { service, address }: Entry): AnnouncementFound {
  if (address === '') return { step: skipped(step, 'there is no address'), nodes: [] }
  if (!isOurs(service, observed)) {
    return { step: skipped(step, 'another load balancer announces it'), nodes: [] }
  }
  const { layer2, bgp } = announcersOf(observed, service.meta)
  const mute = silence(service, observed)
  const nodes = [...new Set([...layer2, ...bgp].map(({ node }) => node))].toSorted()
  const lines = [
    ...layer2.map(({ node }) => `layer 2: node ${nodeText(observed, node)} answers ${protocolOf(address)}`),
    ...bgp.map((one) => bgpLine(observed, one, mute?.message ?? '')),
  ]
  if (mute !== undefined) {
    const { reason, message, next } = mute
    return { step: broken(step, reason, message, { next, details: lines }), nodes }
  }
  const gap = reportsGap(observed)
  if (
    lines.length === 0 &&
    gap !== undefined &&
    announcementTexts(service, { layer2, bgp, silences: [] }).length === 0
  )
    return { step: unknown(step, 'notReadable', `who announces it cannot be read: ${gap.message}`), nodes }
  const [first = announcementTexts(service, { layer2, bgp, silences: [] }).join('; '), ...details] = lines
  const doubt = doubtOf(observed, service, nodes, bgp)
  if (doubt === undefined) return { step: fine(step, first, details), nodes }
  const { state, reason, message, next } = doubt
  const found = state === 'broken' ? broken : doubtful
  return { step: found(step, reason, message, { next, details: lines }), nodes }
}

function protocolOf(address: string): string {
  return address.includes(':') ? 'NDP' : 'ARP'
}

/** With the address of the node, which is the next hop where the session begins there. */
function nodeText({ nodes }: Observed, name: string): string {
  const ips = nodes.items.find(({ meta }) => meta.name === name)?.internalIPs ?? []
  return ips.length === 0 ? name : `${name} (${ips.join(', ')})`
}

/** `said`: why a session is down is not said again for each. */
function bgpLine(observed: Observed, { node, peers }: BGPAnnouncer, said: string): string {
  const texts = peers.map(({ name, session }) => {
    if (session === undefined) return `${name} (no word of the session)`
    const { established, unknown, address, reason, message } = session
    const state = unknown ? 'unknown' : 'DOWN'
    const why = [reason, message].filter((part) => part !== '').join(': ')
    const down = why === '' || said.includes(why) ? state : `${state} (${why})`
    return `${name} ${address} ${established ? 'up' : down}`
  })
  return `BGP: next hop ${nodeText(observed, node)} → ${texts.join('; ')}`
}

interface Doubt {
  readonly state: 'broken' | 'warning'
  readonly reason: string
  readonly message: string
  readonly next: string
}

function doubtOf(
  observed: Observed,
  service: BalancedService,
  nodes: readonly string[],
  bgp: readonly BGPAnnouncer[],
): Doubt | undefined {
  const away = nodes.filter((name) => isAway(observed, name))
  if (nodes.length > 0 && away.length === nodes.length) {
    const message = `node ${away.join(', ')} is said to announce it, and is not ready, or its speaker is not`
    const next = `kubectl get nodes; kubectl -n ${observed.places.system} get pods -l component=speaker -o wide`
    return { state: 'broken', reason: 'noLivingSpeaker', message, next }
  }
  const [contended] = contentionsOf(service, observed)
  if (contended?.reason === 'foreignSpeaker') return { state: 'warning', ...contended }
  // Said of the address already.
  if (contended !== undefined)
    return { state: 'warning', reason: contended.reason, message: 'see the address above', next: '' }
  const down = bgp.flatMap(({ node, peers }) =>
    peers.flatMap(({ name, session }) => (session?.established === false ? [`${node} → ${name}`] : [])),
  )
  if (down.length === 0) return undefined
  const all = bgp.reduce((sum, { peers }) => sum + peers.length, 0)
  const message =
    down.length === all
      ? 'all BGP sessions are down: traffic comes in by layer 2 alone'
      : `some sessions are down (${down.join(', ')}): traffic comes in over the others`
  const reason = down.length === all ? 'noSessionUp' : 'someSessionsDown'
  return { state: 'warning', reason, message, next: 'landfall status names the reason of each.' }
}

function isAway(observed: Observed, name: string): boolean {
  const node = observed.nodes.items.find(({ meta }) => meta.name === name)
  if (observed.nodes.gap === undefined && node?.ready !== true) return true
  if (observed.pods.gap !== undefined) return false
  return !podsOf(observed, 'speaker').some((pod) => pod.nodeName === name && pod.ready)
}
