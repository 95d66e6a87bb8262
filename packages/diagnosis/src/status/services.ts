/** Services of type LoadBalancer: address, who announces it and how, or why not. */
import { keyOf } from '@landfall/kube/model'
import { advertisementLack } from '../facts/advertisement-lack.ts'
import { type About, adviceOn } from '../facts/advice.ts'
import { adviceOnLack, moreOnLack } from '../facts/allocation-lack.ts'
import { type Announcers, announcersOf } from '../facts/announcers.ts'
import { conditionIn, sentence } from '../facts/condition.ts'
import { configOf, rulingConfigMap } from '../facts/configuration.ts'
import { contentionsOf } from '../facts/contenders.ts'
import { endpointsOf } from '../facts/endpoints.ts'
import { adviceOnExcluded, excludedNodes } from '../facts/excluded-nodes.ts'
import { adviceOnSession } from '../facts/session-advice.ts'
import { whyNoEndpoint } from '../facts/why-no-endpoint.ts'
import type { BalancedService, Condition, Gap, Observed } from '../observed.ts'
import type { Finding } from './finding.ts'
import { podsOf } from './programs.ts'

export interface ServiceRow {
  readonly name: string
  readonly loadBalancerClass: string
  readonly addresses: readonly string[]
  readonly pools: readonly string[]
  /** As `layer 2: n1` and `BGP: n1, n2 → tor`. */
  readonly announced: readonly string[]
  /** Code of why it has no address, or is not announced; '' when all is well. */
  readonly reason: string
}

const allocatedType = 'metallb.io/AddressAllocated'
const announcedType = 'metallb.io/Announced'
const poolAnnotation = 'metallb.io/ip-allocated-from-pool'

export function balanced(observed: Observed): readonly BalancedService[] {
  return observed.services.items
    .filter(({ type }) => type === 'LoadBalancer')
    .toSorted((a, b) => (keyOf(a.meta) < keyOf(b.meta) ? -1 : 1))
}

export function serviceRows(observed: Observed): readonly ServiceRow[] {
  return balanced(observed).map((service) => {
    const [first] = findingsOf(service, observed, true)
    const from = service.meta.annotations[poolAnnotation] ?? ''
    return {
      name: keyOf(service.meta),
      loadBalancerClass: service.loadBalancerClass,
      addresses: addressesIn(service),
      pools: from === '' ? [] : from.split(','),
      announced: announcedTexts(service, first?.reason, observed),
      reason: first?.reason ?? '',
    }
  })
}

function announcedTexts(
  service: BalancedService,
  reason: string | undefined,
  observed: Observed,
): readonly string[] {
  const has = addressesIn(service).length > 0
  if (!isOurs(service, observed)) return has ? ['by another load balancer'] : []
  // What is meant for routers that have no session reaches nobody.
  if (reason === 'noSessionUp') return []
  const texts = announcementTexts(service, announcersOf(observed, service.meta))
  const isUnknown = has && reason === undefined && reportsGap(observed) !== undefined
  return texts.length === 0 && isUnknown ? ['not known'] : texts
}

export function serviceFindings(observed: Observed): readonly Finding[] {
  return balanced(observed).flatMap((service) => findingsOf(service, observed, false))
}

export function addressesIn({ ingress }: Pick<BalancedService, 'ingress'>): readonly string[] {
  return ingress.flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
}

/** Where the reports may not be read, in the words of the condition. */
export function announcementTexts(
  { conditions }: Pick<BalancedService, 'conditions'>,
  { layer2, bgp }: Announcers,
): readonly string[] {
  const said = conditionIn(conditions, announcedType)
  if (layer2.length + bgp.length === 0) return said?.status === 'True' ? [said.message] : []
  const peers = [...new Set(bgp.flatMap(({ peers: all }) => all.map(({ name }) => name)))].toSorted()
  const nodes = bgp.map(({ node }) => node).join(', ')
  return [
    ...(layer2.length === 0 ? [] : [`layer 2: ${layer2.map(({ node }) => node).join(', ')}`]),
    ...(bgp.length === 0 ? [] : [`BGP: ${nodes} → ${peers.join(', ')}`]),
  ]
}

/** Classes that some controller here takes; '' is always one. */
export function ourClasses({ configurationStates, pods }: Observed): readonly string[] {
  const flagged = pods.items
    .filter(({ meta }) => meta.labels['component'] === 'controller')
    .flatMap(({ arguments: all }) => all.flatMap((one) => /^--?lb-class=(.+)$/.exec(one)?.[1] ?? []))
  const stated = configurationStates.items.flatMap(
    ({ meta }) => /^controller-(.+)$/.exec(meta.name)?.[1] ?? [],
  )
  return ['', ...flagged, ...stated]
}

/** Whether a controller here answers for the Service. The name of a class in an object's name has `-` for `/`. */
export function isOurs(service: BalancedService, observed: Observed): boolean {
  const { loadBalancerClass, conditions } = service
  if (conditions.some(({ type }) => type === allocatedType)) return true
  // Without the balancer's half another program gives addresses.
  if (observed.pools.gap?.why === 'notInstalled' && podsOf(observed, 'controller').length === 0) return false
  const written = loadBalancerClass.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')
  return ourClasses(observed).some((one) => one === loadBalancerClass || one === written)
}

/** @param mirrored with what is said of another Service already */
function findingsOf(service: BalancedService, observed: Observed, mirrored: boolean): readonly Finding[] {
  const about = { kind: 'Service', name: keyOf(service.meta) }
  const error = (reason: string, message: string, next: string): Finding => ({
    severity: 'error',
    ...about,
    reason,
    message,
    next,
  })
  const contended = contentionsOf(service, observed)
    .filter((one) => one.reason !== 'foreignSpeaker' && (mirrored || !one.mirrored))
    .map(({ reason, message, next }) => error(reason, message, next))
  const lacking = addressLack(service, observed)
  if (lacking !== undefined) return [...contended, error(lacking.reason, lacking.message, lacking.next)]
  if (!isOurs(service, observed)) return contended
  const mute = silence(service, observed)
  const attributes = conditionIn(service.conditions, 'metallb.io/RouteAttributes')
  return [
    ...contended,
    ...(mute === undefined ? [] : [error(mute.reason, mute.message, mute.next)]),
    ...(attributes?.status === 'False' ? [warning({ ...about, places: observed.places }, attributes)] : []),
  ]
}

function warning(about: About, { reason, message }: Condition): Finding {
  const { kind, name } = about
  return { severity: 'warning', kind, name, reason, message, next: adviceOn(reason, about, message) }
}

export interface Why {
  readonly reason: string
  readonly message: string
  readonly next: string
}

/** Why it has no address that is its own; undefined: it has. */
export function addressLack(service: BalancedService, observed: Observed): Why | undefined {
  const about = aboutService(service, observed)
  const allocated = conditionIn(service.conditions, allocatedType)
  const has = addressesIn(service).length > 0
  if (!isOurs(service, observed)) {
    if (has) return undefined
    if (service.loadBalancerClass === '') {
      const message = 'it has no address, and no controller of Landfall is installed'
      return { reason: 'noController', message, next: 'kubectl apply -f manifests/metallb.yaml' }
    }
    const message = `it is of class "${service.loadBalancerClass}", and no controller of Landfall's takes that class`
    return { reason: 'otherLoadBalancerClass', message, next: adviceOn('otherLoadBalancerClass', about) }
  }
  if (allocated?.status === 'False') {
    const { reason, message } = allocated
    const next = adviceOnLack(observed, about, allocated)
    return { reason, message: `${message}${moreOnLack(observed, allocated)}`, next }
  }
  if (has) return undefined
  const message = 'it has no address, and no controller has said why'
  const next = `See whether the controller runs: kubectl -n ${observed.places.system} get pods -l component=controller`
  return { reason: 'notAnswered', message, next }
}

/** Why it is not announced; undefined: it is, as far as anybody says. */
export function silence(service: BalancedService, observed: Observed): Why | undefined {
  const said = conditionIn(service.conditions, announcedType)
  const announcers = announcersOf(observed, service.meta)
  if (said?.status === 'False') return explained(service, said, observed)
  if (said?.status === 'True') return sessionless(service, announcers, observed)
  if (announcers.layer2.length + announcers.bgp.length > 0) return sessionless(service, announcers, observed)
  const [silent] = announcers.silences
  if (silent !== undefined) return explained(service, silent, observed)
  if (reportsGap(observed) !== undefined) return undefined
  const message = 'no speaker has reported that it announces it'
  const next = `See whether the speakers run: kubectl -n ${observed.places.system} get pods -l component=speaker`
  return { reason: 'notReported', message, next }
}

/** Why it cannot be told who announces what; undefined: it can. */
export function reportsGap({ layer2Reports, bgpReports }: Observed): Gap | undefined {
  return layer2Reports.gap ?? bgpReports.gap
}

/** Announced to routers, none of which has a session. */
function sessionless(
  service: BalancedService,
  { layer2, bgp }: Announcers,
  observed: Observed,
): Why | undefined {
  const peers = bgp.flatMap(({ peers: all }) => all)
  const known = peers.flatMap(({ session }) => session ?? [])
  if (layer2.length > 0 || known.length < peers.length || known.length === 0) return undefined
  const [first] = known
  if (first === undefined || known.some(({ established }) => established)) return undefined
  const nodes = [...new Set(known.map(({ node }) => node))].join(', ')
  const why = sentence(first) === '' ? '' : `: ${sentence(first)}`
  const ways = (service.meta.annotations[poolAnnotation] ?? '').split(',')
  const covered = configOf(observed).pools.some(({ name, l2 }) => ways.includes(name) && l2.length > 0)
  const only = rulingConfigMap(observed) === undefined ? 'a BGPAdvertisement' : 'a pool for BGP'
  const how = covered ? 'nobody announces it by layer 2' : `only ${only} covers it`
  const message = `${how}, and no BGP session is up (${nodes})${why}`
  return { reason: 'noSessionUp', message, next: adviceOnSession(first, observed) }
}

function explained(
  service: BalancedService,
  { reason, message }: Pick<Condition, 'reason' | 'message'>,
  observed: Observed,
): Why {
  const about = aboutService(service, observed)
  if (reason === 'noEndpoints') {
    const lack = whyNoEndpoint(observed, service, undefined)
    return { reason, message: `${message}: ${lack.message}`, next: lack.next }
  }
  if (reason === 'noLocalEndpoints') {
    const nodes = [...new Set(endpointsOf(observed, service.meta, undefined).map(({ node }) => node))]
    const excluded = excludedNodes(observed).filter(({ name }) => nodes.includes(name))
    const on = nodes.length === 0 ? '' : `; its endpoints are on ${nodes.join(', ')}`
    const texts = excluded.map(({ name, message: why }) => `${name} may announce nothing: ${why}`)
    const [first] = excluded
    const next = first === undefined ? adviceOn(reason, about) : adviceOnExcluded(first, observed)
    return { reason, message: [`${message}${on}`, ...texts].join('; '), next }
  }
  const [excluded] = excludedNodes(observed).filter((node) => node.reason === reason)
  if (excluded !== undefined) return { reason, message, next: adviceOnExcluded(excluded, observed) }
  if (reason === 'noMatchingAdvertisement') {
    const from = (service.meta.annotations[poolAnnotation] ?? '').split(',')
    const lack = advertisementLack(observed, from)
    if (lack !== undefined) return { reason, ...lack }
  }
  if (reason === 'nodeCordoned') {
    const cordoned = observed.nodes.items.filter(({ unschedulable }) => unschedulable)
    const names = cordoned.map(({ meta }) => meta.name).join(' ') || 'NODES'
    return { reason, message, next: adviceOn(reason, about).replace('NODES', names) }
  }
  return { reason, message, next: adviceOn(reason, about, message) }
}

function aboutService({ meta }: BalancedService, { places }: Observed): About {
  return { kind: 'Service', name: keyOf(meta), places }
}
