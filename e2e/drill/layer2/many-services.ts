/** Many Services of one family with one endpoint, each with an address beyond the LAN's own. */
import type { KubernetesObject, Lab } from '../../lab/index.ts'
import { backendName, namespace } from './site.ts'
import { wait } from './traffic.ts'

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

/** In parts, so that it is seen how far it is. */
const atOnce = 100
/** Nobody asks them for anything: kube-proxy would be busy with them on every node for nothing. */
const unproxied = { 'service.kubernetes.io/service-proxy-name': 'none' }
const selector = 'many=yes'
/** As long as there is progress within that time, it goes on. */
const stallMs = 120_000

/**
 * Their addresses, once each has one: first of those that answer requests.
 * @param backend the node with their endpoint: one that stays up
 * @param answering so many of them; 0 unless given
 */
export async function manyServices(
  lab: Lab,
  {
    count,
    backend,
    answering = 0,
  }: { readonly count: number; readonly backend: string; readonly answering?: number },
  note: (text: string) => void,
): Promise<readonly string[]> {
  const services = Array.from({ length: count }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `many-${i + 1}`,
      namespace,
      labels: { many: 'yes', ...(i < answering ? {} : unproxied) },
      annotations: { 'metallb.io/address-pool': 'many' },
    },
    spec: {
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      selector: { app: backendName(backend) },
      ports: [{ port: 80, targetPort: 8080 }],
    },
  }))
  // A run that was cut off may have left some.
  await removeServices(lab, note)
  for (let made = 0; made < count; made += atOnce) {
    note(`${made} of ${count} Services`)
    const items = services.slice(made, made + atOnce)
    await lab.kubectl(['create', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    })
  }
  return await progressing(`${count} addresses`, count, async () => {
    const all = await lab.list<ServiceObject>('services', { namespace, selector })
    const ipOf = new Map(all.map((one) => [one.metadata.name, one.status?.loadBalancer?.ingress?.[0]?.ip]))
    const ips = services.flatMap(({ metadata }) => ipOf.get(metadata.name) ?? [])
    note(`${ips.length} of ${count} addresses`)
    return ips
  })
}

/** With one request, and until none is left. */
export async function removeServices(lab: Lab, note: (text: string) => void): Promise<void> {
  const query = `labelSelector=${encodeURIComponent(selector)}`
  await lab.kubectl(['delete', '--raw', `/api/v1/namespaces/${namespace}/services?${query}`])
  await progressing('the Services to go', 0, async () => {
    const left = await lab.list('services', { namespace, selector })
    note(`${left.length} Services are left`)
    return left
  })
}

/** Looks until there are so many; throws when it comes no nearer to that for too long. */
async function progressing<T>(
  what: string,
  count: number,
  look: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  let [nearest, since] = [Number.POSITIVE_INFINITY, performance.now()]
  for (;;) {
    const found = await look()
    if (found.length === count) return found
    const missing = Math.abs(count - found.length)
    if (missing < nearest) [nearest, since] = [missing, performance.now()]
    if (performance.now() - since > stallMs)
      throw new Error(`waited for ${what}: ${found.length} are there, as 120 s ago`)
    await wait(1000)
  }
}
