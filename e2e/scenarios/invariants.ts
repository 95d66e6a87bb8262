/**
 * What holds after each guide and each scenario, whatever it did: an address belongs to one Service, or to some that share it,
 * and to one node, a Service has one address of a family, and nothing of Landfall, nor Envoy, ended or grew beyond its bound:
 * for the balancer's programs what the manifests of then allow. What a Service had is nobody's when it is gone, and the next one's.
 */
import type { KubernetesObject, Lab } from '../lab/index.ts'

const namespaces = ['metallb-system', 'projectcontour']
const mostMiB = 100
/** By container: `serve` and Envoy take more with more hosts, and have few here. */
const mostMiBOf: Readonly<Record<string, number>> = { contour: 200, envoy: 200 }
const releaseMs = 10_000
const fewestLooks = 3
const sharing = 'metallb.io/allow-shared-ip'
const killed = 9

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

interface Held {
  readonly ip: string
  readonly service: string
  /** What Services that share an address have in common. */
  readonly shared: string
}

interface PodObject extends KubernetesObject {
  readonly status?: {
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

interface ContainerStatus {
  readonly name: string
  readonly restartCount: number
  readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly signal?: number } }
}

/** @returns what does not hold, a sentence each */
export async function broken(lab: Lab): Promise<readonly string[]> {
  return [...(await contendedAddresses(lab)), ...(await ailingPods(lab))]
}

/** The same where scenarios kill containers, and what they made may still be on its way out. */
export async function brokenByItself(lab: Lab): Promise<readonly string[]> {
  const look = async () => [...(await contendedAddresses(lab)), ...(await ailingPods(lab, isKilled))]
  await lab.waitFor('what always holds', async () => (await look()).length === 0).catch(() => 'said below')
  return await look()
}

function isKilled({ lastState }: ContainerStatus): boolean {
  return lastState?.terminated?.signal === killed
}

/**
 * Deletes every Service that has an address. A second is what it may take until nobody answers for it; here that long ten times
 * over, as the machine has more to do than a network.
 * @returns what is still announced then, or does not come to the next Service
 */
export async function notReleased(lab: Lab): Promise<readonly string[]> {
  const services = await lab.list<ServiceObject>('services')
  const held = heldBy(services)
  const going = services.filter(({ status }) => (status?.loadBalancer?.ingress ?? []).length > 0)
  await lab.delete(going.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata })))
  const until = Date.now() + releaseMs
  const announced = await Promise.all(held.map(({ ip }) => stillAnnounced(lab, ip, until)))
  const next = await nextAddress(lab)
  const wanted = held.map(({ ip }) => ip)
  const reused =
    wanted.length === 0 || wanted.includes(next) ? [] : [`the next Service has ${next || 'none'}`]
  return [...announced.flat(), ...reused]
}

async function stillAnnounced(lab: Lab, ip: string, until: number): Promise<readonly string[]> {
  const prefix = `${ip}/${ip.includes(':') ? 128 : 32}`
  const look = async () => {
    const hops = await Promise.all(lab.routers.map((router) => router.nextHops(prefix)))
    return [...(await lab.client.arping(ip)), ...hops.flat().map((hop) => hop.ip)]
  }
  for (let looks = 1; ; looks++) {
    // A router that has much to do may not answer at once.
    const at = await look().catch((error: unknown) => [String(error)])
    if (at.length === 0) return []
    if (looks >= fewestLooks && Date.now() > until) return [`${ip}, of no Service, is at ${at.join(' and ')}`]
  }
}

/** The address that a Service gets which asks for none. */
async function nextAddress(lab: Lab): Promise<string> {
  const metadata = { name: 'next', namespace: 'default' }
  const service = { apiVersion: 'v1', kind: 'Service', metadata }
  await lab.apply([{ ...service, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }])
  const read = async () => {
    const services = await lab.list<ServiceObject>('services', { namespace: metadata.namespace })
    return heldBy(services).find((one) => one.service === 'default/next')?.ip
  }
  const found = await lab.waitFor('the next Service to have an address', read).catch(() => '')
  await lab.delete([service])
  return found
}

function heldBy(services: readonly ServiceObject[]): readonly Held[] {
  return services.flatMap(({ metadata, status }) => {
    const service = `${metadata.namespace}/${metadata.name}`
    const shared = metadata.annotations?.[sharing] ?? service
    return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
      ip === undefined ? [] : [{ ip, service, shared }],
    )
  })
}

async function contendedAddresses(lab: Lab): Promise<readonly string[]> {
  const held = heldBy(await lab.list<ServiceObject>('services'))
  const twice = [...Map.groupBy(held, ({ ip }) => ip)].filter(
    ([, all]) => new Set(all.map(({ shared }) => shared)).size > 1,
  )
  const families = Map.groupBy(held, ({ ip, service }) => `${service}, IPv${ip.includes(':') ? 6 : 4}`)
  const many = [...families].filter(([, all]) => all.length > 1)
  const answers = await Promise.all(
    held.map(async ({ ip }) => ({ ip, macs: new Set(await lab.client.arping(ip, { count: 2 })) })),
  )
  return [
    ...twice.map(([ip, all]) => `${ip} is of ${all.map(({ service }) => service).join(' and ')}`),
    ...many.map(([what, all]) => `${what}: ${all.map(({ ip }) => ip).join(' and ')}`),
    ...answers
      .filter(({ macs }) => macs.size > 1)
      .map(({ ip, macs }) => `${ip} is at ${[...macs].join(' and ')}`),
  ]
}

async function ailingPods(
  lab: Lab,
  isMeant: (container: ContainerStatus) => boolean = () => false,
): Promise<readonly string[]> {
  const pods = await Promise.all(namespaces.map((namespace) => lab.list<PodObject>('pods', { namespace })))
  return pods.flat().flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? []).flatMap((container) => {
      const { name, restartCount } = container
      const { namespace = '' } = metadata
      const what = `${metadata.name}/${name}`
      if (restartCount > 0 && !isMeant(container)) return [`${what} ended ${restartCount} times`]
      // A Job's is done, others may be on their way out.
      if (lab.pods.process(namespace, metadata.name, name) === undefined) return []
      const peak = lab.pods.memory(namespace, metadata.name, name).peak / 2 ** 20
      return peak < (mostMiBOf[name] ?? mostMiB) ? [] : [`${what} took ${Math.round(peak)} MiB`]
    }),
  )
}
