// The files that the kubelet puts into every container: /etc/hosts, /etc/resolv.conf, /etc/hostname.
import type { Pod } from '../api/pod.ts'

export interface NodeNames {
  readonly nodeName: string
  readonly clusterDNS: readonly string[]
}

export function podHostname(pod: Pod, nodeName: string): string {
  return pod.spec.hostNetwork === true ? nodeName : (pod.spec.hostname ?? pod.metadata.name).slice(0, 63)
}

/** Nothing of the machine's own resolver is passed on: a lab asks nobody outside it. */
export function resolvConf(pod: Pod, node: NodeNames): string {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  const cluster =
    policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && pod.spec.hostNetwork !== true)
  const { namespace } = pod.metadata
  const own = pod.spec.dnsConfig ?? {}
  const nameservers = [...(cluster ? node.clusterDNS : []), ...(own.nameservers ?? [])]
  const domains = cluster ? [`${namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'] : []
  const searches = [...domains, ...(own.searches ?? [])]
  const options = [
    ...(cluster && !own.options?.some((o) => o.name === 'ndots') ? ['ndots:5'] : []),
    ...(own.options ?? []).map((o) => (o.value === undefined ? o.name : `${o.name}:${o.value}`)),
  ]
  return [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n')
}

export function hostsFile(pod: Pod, hostname: string, addresses: readonly string[]): string {
  const { subdomain } = pod.spec
  const full =
    subdomain === undefined ? '' : `${hostname}.${subdomain}.${pod.metadata.namespace}.svc.cluster.local\t`
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...addresses.map((address) => `${address}\t${full}${hostname}`),
    ...(pod.spec.hostAliases ?? []).map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`),
    '',
  ].join('\n')
}
