/** What Contour's names of clusters are made of: a text of settings, which leaves some out and runs others together. */
import type { ServiceCluster } from '../dag/cluster.ts'
import { goDuration } from '../dag/go-duration.ts'
import { usualHealthCheck as usual } from '../dag/policies/health-check.ts'

export function contourSettings({ settings, written }: ServiceCluster): string {
  const { strategy, validation, protocol, idleConnection, slowStart } = settings
  const balancing = strategy === 'RingHash' ? (written?.strategy ?? '') : strategy
  return [
    balancing === 'RoundRobin' ? '' : balancing,
    written?.healthCheck,
    validation?.authority.split('/')[1],
    validation?.names[0],
    protocol,
    written?.host,
    idleConnection === undefined ? '' : goDuration(idleConnection === 'infinite' ? 0 : idleConnection),
    slowStart &&
      `${goDuration(slowStart.windowMs)}${slowStart.aggression.toFixed(6)}${slowStart.minWeightPercent}`,
  ].join('')
}

/** Another cluster of the port with the same text has the same settings, whatever somebody writes. */
export function saysAll({ settings, written }: ServiceCluster): boolean {
  const { healthCheck, validation, protocol, idleConnection, slowStart, healthPortName, redirectsInside } =
    settings
  if (written === undefined || healthPortName !== undefined || redirectsInside === true) return false
  const others = [validation, protocol, written.host, idleConnection, slowStart].filter(
    (one) => one !== undefined && one !== '',
  )
  if (healthCheck === undefined) return others.length <= 1 && validation === undefined
  return others.length === 0 && isUsual(settings, written.healthCheck)
}

/** Nothing is asked beside what is written, and that can be read in one way. */
function isUsual({ healthCheck }: ServiceCluster['settings'], written: string): boolean {
  if (healthCheck?.kind !== 'http' || healthCheck.expected.length > 0) return false
  if (healthCheck.host !== usual.host) return false
  const {
    timeoutSeconds,
    intervalSeconds,
    unhealthyThreshold: bad,
    healthyThreshold: good,
    path,
  } = healthCheck
  const [timeout, interval] = [goDuration(timeoutSeconds * 1000), goDuration(intervalSeconds * 1000)]
  const times = [
    ...(timeoutSeconds === usual.timeoutSeconds && intervalSeconds === usual.intervalSeconds ? [''] : []),
    ...(timeoutSeconds === usual.timeoutSeconds ? [interval] : []),
    timeout + interval,
  ]
  const counts = [
    ...(bad === usual.unhealthyThreshold && good === usual.healthyThreshold ? [''] : []),
    ...(bad < 10 && good < 10 ? [`${bad}${good}`] : []),
  ]
  return times.some((time) => counts.some((count) => `${time}${count}${path}` === written))
}
