/** The limits that annotations of a Service set (`projectcontour.io/max-connections` and its like). */
import type { CircuitBreakers } from '../cluster.ts'

const names = {
  maxConnections: 'max-connections',
  maxPendingRequests: 'max-pending-requests',
  maxRequests: 'max-requests',
  maxRetries: 'max-retries',
  perHostMaxConnections: 'per-host-max-connections',
} as const

export const breakerNames: readonly string[] = Object.values(names)

export function readBreaker(text: string): number | undefined {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 && value <= 0xffffffff ? value : undefined
}

/** Undefined when none is set; what is no number above 0 counts as not set. */
export function readCircuitBreakers(
  annotations: Readonly<Record<string, string>>,
): CircuitBreakers | undefined {
  const limits: { -readonly [K in keyof CircuitBreakers]: CircuitBreakers[K] } = {}
  for (const [field, name] of Object.entries(names) as [keyof typeof names, string][]) {
    const value = readBreaker(annotations[`projectcontour.io/${name}`] ?? '')
    if (value !== undefined) limits[field] = value
  }
  return Object.keys(limits).length === 0 ? undefined : limits
}
