/** Step 4: the pods behind the address: Envoys, or where the Service is not Envoy's, the end of the way. */
import { keyOf, type ServicePort } from '@landfall/kube/model'
import type { ClusterView, EnvoyReading } from '../cluster-view.ts'
import { type EndpointFact, endpointsOf, labelText } from '../facts/endpoints.ts'
import { whyNoEndpoint } from '../facts/why-no-endpoint.ts'
import { podsOf } from '../status/programs.ts'
import type { Entry } from './entry-point.ts'
import { broken, doubtful, fine, type Step, unknown } from './step.ts'

const step = 'entry'

/** Whether the Service leads to Envoy. */
export function isEnvoy({ service }: Entry, { serving, observed }: ClusterView): boolean {
  if (keyOf(service.meta) === serving.entry) return true
  const envoys = podsOf(observed, 'envoy')
  return endpointsOf(observed, service.meta, undefined).some(
    ({ pod }) => pod !== undefined && envoys.includes(pod),
  )
}

/** @param announcers nodes that traffic comes in over; [] where they are not known */
export function traceEntry(
  view: ClusterView,
  entry: Entry,
  port: number,
  announcers: readonly string[],
): Step {
  const { observed } = view
  const { service } = entry
  const what = isEnvoy(entry, view) ? 'Envoy' : 'pod'
  if (observed.slices.gap !== undefined) {
    return unknown(step, 'notReadable', `EndpointSlices cannot be read: ${observed.slices.gap.message}`)
  }
  const written = portOf(entry, port)
  const all = ofFamily(entry, endpointsOf(observed, service.meta, written?.name))
  const ready = all.filter((one) => one.ready)
  if (ready.length === 0) {
    const { reason, message, next } = whyNoEndpoint(observed, service, written?.name)
    const details = all.map(({ address, port, node, pod }) => {
      const name = pod === undefined ? '' : `${pod.meta.name} `
      return `${name}${address}:${port}${node === '' ? '' : ` on ${node}`}, NOT ready`
    })
    return broken(step, reason, message, { next, details })
  }
  const lines = all.map((one) => lineOf(one, view))
  const local = service.externalTrafficPolicy === 'Local'
  const here = local && announcers.length > 0 ? ready.filter(({ node }) => announcers.includes(node)) : ready
  if (here.length === 0) {
    const on = [...new Set(ready.map(({ node }) => node))].join(', ')
    const message = `externalTrafficPolicy is Local, and ${announcers.join(', ')} (which announces the address) has no ready ${what}: ready ones are on ${on}`
    const next = `Wait until another node announces it; if it stays so, see why the announcing node has no ready pod: kubectl -n ${service.meta.namespace} get pods -o wide -l ${labelText(service.selector)}`
    return broken(step, 'noLocalEndpoints', message, { next, details: lines })
  }
  const lost = here.filter(({ pod }) => isLost(pod && view.envoys.get(keyOf(pod.meta))))
  if (lost.length > 0) {
    const names = lost.map(({ pod, address }) => pod?.meta.name ?? address).join(', ')
    const message = `${names}: no connection to contour serve, so that it serves the configuration of before`
    const at = `kubectl -n ${observed.places.ingress}`
    const next = `See that contour is ready: ${at} get pods -l app=contour; ${at} logs ${names.split(', ')[0] ?? ''} -c envoy`
    return doubtful(step, 'envoyNotConnected', message, { next, details: lines })
  }
  const where = local ? ' (externalTrafficPolicy: Local)' : ''
  return fine(step, `${here.length} of ${all.length} ${what}s take it${where}`, lines)
}

/** Traffic to an address goes to endpoints of its family; where there is no address yet, each pod counts once. */
function ofFamily({ address }: Entry, all: readonly EndpointFact[]): readonly EndpointFact[] {
  const isIPv6 = address === '' ? !all.some((one) => !one.address.includes(':')) : address.includes(':')
  return all.filter((one) => one.address.includes(':') === isIPv6)
}

export function portOf({ service }: Entry, port: number): ServicePort | undefined {
  return service.ports.find((one) => one.port === port && one.protocol === 'TCP')
}

function isLost(reading: EnvoyReading | undefined): boolean {
  return reading?.kind === 'figures' && reading.figures.connected === false
}

function lineOf({ address, port, ready, node, pod }: EndpointFact, { envoys }: ClusterView): string {
  const name = pod === undefined ? '' : `${pod.meta.name} `
  const on = node === '' ? '' : ` on ${node}`
  const state = ready ? 'ready' : `NOT ready${pod?.trouble ? ` (${pod.trouble})` : ''}`
  const reading = pod === undefined ? undefined : envoys.get(keyOf(pod.meta))
  return `${name}${address}:${port}${on}, ${state}${readingText(reading)}`
}

function readingText(reading: EnvoyReading | undefined): string {
  if (reading === undefined) return ''
  if (reading.kind === 'unreadable') return `, its state not readable (${reading.why})`
  const { connected } = reading.figures
  return connected === undefined ? '' : connected ? ', connected to contour' : ', NOT connected to contour'
}
