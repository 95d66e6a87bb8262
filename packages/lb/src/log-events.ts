/** Log lines under the names that are searched for in MetalLB's. */
import type { Key } from '@landfall/kube/model'
import { formatIP, type IP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import type { Configured } from './configuration.ts'

/** `IPAllocated` is logged as `ipAllocated`, `not enough clusterips` as `notEnoughClusterips`. */
export function logEventOf(reason: string): string {
  return reason
    .replace(/^([A-Z]+(?=[A-Z][a-z])|[A-Z])/, (start) => start.toLowerCase())
    .replaceAll(/ (.)/g, (_, letter: string) => letter.toUpperCase())
}

/** @param isThere the Service is, but balances no more */
export function sayReleased(logger: Logger, service: Key, released: readonly IP[], isThere: boolean): void {
  if (released.length === 0) return
  const fields = { service, ips: released.map(formatIP) }
  if (isThere)
    logger.info(
      'clearAssignment',
      { op: 'setBalancer', ...fields },
      'no load balancer any more: its addresses are free',
    )
  else logger.info('serviceDeleted', { op: 'deleteBalancer', ...fields }, 'its addresses are free')
}

/** A configuration that came into force, and what is wrong with it. */
export function sayConfig(logger: Logger, built: Configured): void {
  const { config, refusals, warnings, source, notes } = built
  if (source === 'none') logger.warn('noConfig', {}, 'configuration is missing')
  for (const note of notes) logger.warn('configDeprecated', {}, note)
  for (const { reason, message, kind, namespace, name, field } of refusals) {
    const event = kind === 'ConfigMap' ? 'configStale' : 'configRefused'
    logger.warn(event, { reason, kind, namespace, name, field }, message)
  }
  for (const { reason, message, kind, namespace, name, field } of warnings) {
    logger.warn('configWarning', { reason, kind, namespace, name, field }, message)
  }
  const counts = { source, pools: config.pools.length, refusals: refusals.length }
  logger.info('configLoaded', counts, 'this configuration is in force')
}
