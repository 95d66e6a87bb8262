/** Step 1: the address that the URL leads to, and the Service that has it on that port. */
import { keyOf } from '@landfall/kube/model'
import type { ClusterView } from '../cluster-view.ts'
import { editing } from '../facts/advice.ts'
import { type Contention, contentionsOf } from '../facts/contenders.ts'
import type { BalancedService } from '../observed.ts'
import { addressesIn, addressLack, balanced } from '../status/services.ts'
import { claimantsOf } from './claimants.ts'
import { isEnvoy } from './entry.ts'
import type { Entry } from './entry-point.ts'
import { broken, doubtful, fine, type Step, unknown } from './step.ts'
import type { Target } from './target.ts'

export interface AddressFound {
  readonly step: Step
  /** undefined: no Service takes it. */
  readonly entry: Entry | undefined
}

const step = 'address'

export function traceAddress(view: ClusterView, target: Target): AddressFound {
  const { observed, serving } = view
  if (observed.services.gap !== undefined) {
    const { message } = observed.services.gap
    return { step: unknown(step, 'notReadable', `Services may not be read: ${message}`), entry: undefined }
  }
  const { addresses } = target
  const services = balanced(observed)
  const envoy = services.find(({ meta }) => keyOf(meta) === serving.entry)
  if (addresses.kind === 'notAsked') return throughEnvoy(view, target, envoy)
  if (addresses.kind === 'none') return withoutName(view, target, envoy, addresses.why)
  const held = services.flatMap((service) =>
    addressesIn(service)
      .filter((address) => addresses.all.includes(address))
      .map((address) => ({ service, address })),
  )
  const able = held.filter(({ service }) => hasPort(service, target.toPort))
  const first = able.find(({ service }) => service === envoy) ?? able[0] ?? held[0]
  if (first === undefined) return elsewhere(view, target, envoy, addresses.all)
  return { step: judged(view, target, first, addresses.kind), entry: first }
}

function judged(view: ClusterView, target: Target, entry: Entry, kind: string): Step {
  const { service, address } = entry
  const key = keyOf(service.meta)
  if (!hasPort(service, target.toPort)) {
    const ports = service.ports.map(({ port }) => port).join(', ')
    const message = `${address} is that of Service ${key}, which has no port ${target.toPort}: its ports are ${ports}`
    const next = `Use one of these ports in the URL, or add the port to the Service: ${editing('Service', key)}`
    return broken(step, 'portNotServed', message, { next })
  }
  const lack = addressLack(service, view.observed)
  if (lack !== undefined) {
    const message = `${address} stands in Service ${key}, which may not have it: ${lack.message}`
    return broken(step, lack.reason, message, { next: lack.next })
  }
  const astray = leadsPastEnvoy(view, target, entry)
  if (astray !== undefined) return astray
  const contended = contentionOf(view, service)
  const how = kind === 'resolved' ? ` (${target.host} in the DNS)` : ''
  const message = `${address}${how}, port ${target.toPort}: Service ${key}`
  if (contended === undefined) return fine(step, message)
  const { reason, next } = contended
  return broken(step, reason, `Service ${key}: ${contended.message}`, { next })
}

/** The name is one that Envoy serves, and the address is another Service's. */
function leadsPastEnvoy(view: ClusterView, target: Target, entry: Entry): Step | undefined {
  if (isEnvoy(entry, view)) return undefined
  const [claimant] = claimantsOf(view, target.host)
  if (claimant === undefined) return undefined
  const envoy = balanced(view.observed).find(({ meta }) => keyOf(meta) === view.serving.entry)
  const [own = ''] = envoy === undefined ? [] : addressesIn(envoy)
  const lack = envoy && addressLack(envoy, view.observed)
  const has = own === '' ? `has no address: ${lack?.message ?? 'nobody says why'}` : `has ${own}`
  const message = `${target.host} leads to ${entry.address}, the address of Service ${keyOf(entry.service.meta)}; ${claimant.kind} ${keyOf(claimant.meta)} is served by Envoy, whose Service ${view.serving.entry} ${has}`
  const next = own === '' ? (lack?.next ?? '') : dnsAdvice(target, own)
  return broken(step, own === '' ? (lack?.reason ?? 'noAddress') : 'addressOfAnother', message, { next })
}

function contentionOf({ observed }: ClusterView, service: BalancedService): Contention | undefined {
  return contentionsOf(service, observed).find(({ reason }) => reason !== 'foreignSpeaker')
}

/** The name leads nowhere, which may be meant: with an entry in /etc/hosts, or `curl --resolve`. */
function withoutName(
  view: ClusterView,
  target: Target,
  envoy: BalancedService | undefined,
  why: string,
): AddressFound {
  const found = throughEnvoy(view, target, envoy)
  if (found.step.state !== 'ok') return found
  const message = `${found.step.message}; ${why}`
  const address = found.entry?.address ?? ''
  return { ...found, step: doubtful(step, 'nameNotResolved', message, { next: dnsAdvice(target, address) }) }
}

function dnsAdvice({ host, toPort, url }: Target, address: string): string {
  const written = address.includes(':') ? `[${address}]` : address
  return `Have the DNS say ${host} = ${address}; to try it now: curl --resolve ${host}:${toPort}:${written} ${url}`
}

/** The name leads to what is no address of any Service here. */
function elsewhere(
  view: ClusterView,
  target: Target,
  envoy: BalancedService | undefined,
  addresses: readonly string[],
): AddressFound {
  const found = throughEnvoy(view, target, envoy)
  const text = addresses.join(', ')
  const own = found.entry?.address ?? ''
  if (own === '' || (envoy !== undefined && contentionOf(view, envoy) !== undefined)) return found
  const message = `${target.host} leads to ${text}, which no Service of type LoadBalancer has; Envoy (${keyOf(found.entry?.service.meta ?? { namespace: '', name: '' })}) has ${own}`
  const next = `${dnsAdvice(target, own)}; where ${text} is passed on to it: landfall trace ${target.url} --address ${own}`
  return { ...found, step: broken(step, 'addressOfNobody', message, { next }) }
}

function throughEnvoy(view: ClusterView, target: Target, envoy: BalancedService | undefined): AddressFound {
  if (envoy === undefined) {
    const key = view.serving.entry
    const message = `there is no Service ${key} of type LoadBalancer in front of Envoy`
    const next =
      'Install the ingress (kubectl apply -f manifests/contour.yaml), or name its Service with --envoy-service.'
    return { step: broken(step, 'noEntry', message, { next }), entry: undefined }
  }
  const [address = ''] = addressesIn(envoy)
  const entry = { service: envoy, address }
  if (address !== '') return { step: judged(view, target, entry, 'told'), entry }
  const lack = addressLack(envoy, view.observed)
  const message = `Service ${keyOf(envoy.meta)} in front of Envoy has no address: ${lack?.message ?? 'nobody says why'}`
  return { step: broken(step, lack?.reason ?? 'noAddress', message, { next: lack?.next ?? '' }), entry }
}

function hasPort({ ports }: BalancedService, port: number): boolean {
  return ports.some((one) => one.port === port && one.protocol === 'TCP')
}
