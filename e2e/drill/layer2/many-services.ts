/** Many Services of one family with one endpoint, each with an address beyond the LAN's own. */
import type { KubernetesObject, Lab } from '../../lab/index.ts'
import { namespace } from './site.ts'

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

/** Their addresses, once each has one. */
export async function manyServices(
  lab: Lab,
  count: number,
  note: (text: string) => void,
): Promise<readonly string[]> {
  const [backend] = lab.nodes
  const services = Array.from({ length: count }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `many-${i + 1}`,
      namespace,
      labels: { many: 'yes' },
      annotations: { 'metallb.io/address-pool': 'many' },
    },
    spec: {
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      selector: { app: `on-${backend?.name}` },
      ports: [{ port: 80, targetPort: 8080 }],
    },
  }))
  note(`${count} Services`)
  await lab.apply(services)
  return await lab.waitFor(
    `${count} addresses`,
    async () => {
      const all = await lab.list<ServiceObject>('services', { namespace, selector: 'many=yes' })
      const ips = all.flatMap(({ status }) => status?.loadBalancer?.ingress?.[0]?.ip ?? [])
      note(`${ips.length} of ${count} addresses`)
      return ips.length === count && ips
    },
    { timeoutMs: 180_000, intervalMs: 1000 },
  )
}
