/**
 * Services of type ExternalName: the name that Envoy looks up, or why it is not served. Names and addresses of the
 * machine that Envoy runs on are never served: behind them are Envoy's own administration and its neighbours.
 */
import type { Service } from '@landfall/kube/model'
import { type IP, isLinkLocal, parseIP } from '@landfall/netip'
import type { ExternalName } from './cluster.ts'
import type { DagOptions } from './options.ts'

export type ExternalNameOptions = Pick<DagOptions, 'enableExternalNameService' | 'dnsLookupFamily'>

const ownNames = ['localhost', 'localhost.localdomain', 'local.projectcontour.io']

/** undefined: nothing is wrong. */
export function externalProblem(service: Service, options: ExternalNameOptions): string | undefined {
  if (!options.enableExternalNameService)
    return 'is of type ExternalName, which the configuration does not let serve (enableExternalNameService)'
  const host = hostOf(service)
  if (host === '') return 'has no externalName'
  if (ownNames.includes(host) || host.endsWith('.localhost') || isForbidden(host))
    return `stands for "${host}", which may be Envoy's own machine`
  return undefined
}

/** @param healthPort that health checks use, if it is another */
export function externalName(
  service: Service,
  healthPort: number | undefined,
  { dnsLookupFamily }: ExternalNameOptions,
): ExternalName {
  return { host: hostOf(service), family: dnsLookupFamily, healthPort }
}

export function isAddress(host: string): boolean {
  return parseIP(host) !== undefined
}

function hostOf({ externalName: name }: Service): string {
  return name.toLowerCase().replace(/\.$/, '')
}

/** Also what only some take for an address, such as `127.1`: no name ends in a number. */
function isForbidden(host: string): boolean {
  const ip = parseIP(host)
  return ip === undefined ? /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host) : isOwn(ip)
}

/** Loopback, unspecified or link-local; or an IPv4 address of those in the form of an IPv6 one. */
function isOwn(ip: IP): boolean {
  if (isLinkLocal(ip)) return true
  if (ip.family === 4) return ip.value >> 24n === 127n || ip.value >> 24n === 0n
  if (ip.value <= 1n) return true
  const mapped = ip.value >> 32n === 0xffffn
  return mapped && isOwn({ family: 4, value: ip.value & 0xffffffffn })
}
