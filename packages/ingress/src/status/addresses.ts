/**
 * Where traffic comes in: the addresses told by option, or else those of the Service in front of Envoy. Copied to
 * every Ingress and HTTPProxy of ours, and taken back when they go.
 */
import type { LoadBalancerIngress, Service } from '@landfall/kube/model'

/** @param told a comma-separated list of addresses and host names; '' for none */
export function ingressAddresses(
  told: string,
  envoy: Service | undefined,
  isAddress: (text: string) => boolean,
): readonly LoadBalancerIngress[] {
  const given = told.split(',').flatMap((text) => text.trim() || [])
  if (given.length > 0) return given.map((text) => (isAddress(text) ? { ip: text } : { hostname: text }))
  return (envoy?.ingress ?? []).map(({ ip, hostname }) => ({
    ...(ip === undefined ? {} : { ip }),
    ...(hostname === undefined ? {} : { hostname }),
  }))
}

export function sameAddresses(a: readonly LoadBalancerIngress[], b: readonly LoadBalancerIngress[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ ip, hostname }, at) => ip === b[at]?.ip && hostname === b[at]?.hostname)
  )
}
