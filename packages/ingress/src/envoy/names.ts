/**
 * Names of resources. Clusters and endpoints keep Contour's names, so that dashboards and stats filters stay
 * true; scopes are named by listener and host, secrets by the object that they come from.
 */
import { hash } from 'node:crypto'
import type { Cluster, DnsCluster, ServiceCluster } from '../dag/cluster.ts'
import { contourSettings, saysAll } from './contour-settings.ts'

const limit = 60

/** A name is asked for over and over: by routes, listeners, and whoever counts. */
const made = new WeakMap<Cluster, string>()

/**
 * `<namespace>/<service>/<port>/<ten hex digits of the settings>`, `extension/<namespace>/<name>`, or
 * `dnsname/<scheme>/<host>` with its port and settings where they are not the usual ones.
 */
export function clusterName(cluster: Cluster): string {
  const before = made.get(cluster)
  if (before !== undefined) return before
  const name = makeName(cluster)
  made.set(cluster, name)
  return name
}

function makeName(cluster: Cluster): string {
  if (cluster.kind === 'extension') return extensionName(cluster.namespace, cluster.name)
  if (cluster.kind === 'dns') return dnsName(cluster)
  return serviceName(cluster, saysAll(cluster) ? contourSettings(cluster) : settingsOf(cluster))
}

function serviceName({ namespace, service, port }: ServiceCluster, settings: string): string {
  return squeeze([namespace, service, String(port), hash('sha1', settings).slice(0, 10)])
}

/**
 * The name by which Contour calls a cluster, where that is not its own. An Envoy that comes from Contour has tables of
 * routes with it for as long as one of its streams is behind another: until then it must find a cluster under it.
 */
export function formerName(cluster: Cluster): string | undefined {
  if (cluster.kind !== 'service') return undefined
  const name = serviceName(cluster, contourSettings(cluster))
  return name === clusterName(cluster) ? undefined : name
}

export function extensionName(namespace: string, name: string): string {
  return `extension/${namespace}/${name}`
}

/** The settings that tell clusters of one port apart; '' when all are the default. */
function settingsOf({ settings }: ServiceCluster): string {
  const { strategy, protocol, ...rest } = settings
  const simple = (strategy === 'RoundRobin' ? '' : strategy) + protocol
  const set = Object.entries(rest).filter(([, value]) => value !== undefined && value !== '')
  return set.length === 0 ? simple : JSON.stringify([simple, ...set])
}

function dnsName({ host, port, secure, family, validation }: DnsCluster): string {
  const address = port === (secure ? 443 : 80) ? host : `${host}:${port}`
  const name = `dnsname/${secure ? 'https' : 'http'}/${address}`
  const plain = family === 'auto' && validation === undefined
  return plain ? name : `${name}/${longHash([family, validation])}`
}

/** Of what decides whom to trust: too long for anybody to find another value with the same one. */
export function longHash(value: unknown): string {
  return hash('sha256', JSON.stringify(value)).slice(0, 40)
}

export function altStatName(cluster: Cluster): string {
  if (cluster.kind === 'dns') return clusterName(cluster).replaceAll(/[/.:]/g, '_')
  const { namespace } = cluster
  return cluster.kind === 'extension'
    ? `extension_${namespace}_${cluster.name}`
    : `${namespace}_${cluster.service}_${cluster.port}`
}

/** `healthPortName`: health checks go to another port. */
export function endpointsName(
  namespace: string,
  service: string,
  portName: string,
  healthPortName?: string,
): string {
  const name = portName === '' ? `${namespace}/${service}` : `${namespace}/${service}/${portName}`
  return healthPortName === undefined ? name : `${name}/health/${healthPortName}`
}

/** `fallback`: over TLS, to clients that named no host in the handshake. */
export const sides = ['http', 'https', 'fallback'] as const
export type Side = (typeof sides)[number]

export function scopeName(side: Side, host: string): string {
  return `${side}/${host}`
}

/** Joined by `/`; when that is 60 characters or more, parts are cut from the last on, each marked by a hash. */
export function squeeze(parts: readonly string[]): string {
  const whole = parts.join('/')
  if (whole.length < limit) return whole
  const digest = hash('sha256', whole)
  const room = Math.floor(limit / parts.length)
  const cut = [...parts]
  for (let index = cut.length - 1; index >= 0; index--) {
    const part = cut[index] ?? ''
    if (part.length > room) cut[index] = `${part.slice(0, Math.max(0, room - 7))}-${digest.slice(0, 6)}`
    if (cut.join('/').length < limit) return cut.join('/')
  }
  return digest.slice(0, limit)
}
