/** What a status write is about, compared as the API server keeps it: pure. */
import { isDeepStrictEqual } from 'node:util'
import type { RawObject } from './resource.ts'

/** What a PUT to `/status` may change: the status, and of built-in kinds the metadata too. */
export interface Writable {
  readonly status: unknown
  readonly annotations: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export function writableOf(raw: RawObject): Writable {
  const { annotations = {}, labels = {} } = raw.metadata
  return { status: withDefaults(raw['status'] ?? {}), annotations, labels }
}

export function sameWritable(a: Writable, b: Writable): boolean {
  return isDeepStrictEqual(a, b)
}

/** The server fills in `ipMode: VIP` for an address of a load balancer. */
function withDefaults(status: unknown): unknown {
  if (!isRecord(status) || !isRecord(status['loadBalancer'])) return status
  const { ingress } = status['loadBalancer']
  if (!Array.isArray(ingress)) return status
  const filled = ingress.map((entry) =>
    isRecord(entry) && entry['ip'] ? { ipMode: 'VIP', ...entry } : entry,
  )
  return { ...status, loadBalancer: { ...status['loadBalancer'], ingress: filled } }
}

/**
 * The path of a field with content that was asked for and is missing from the answer: the installed definition does
 * not know it. undefined when there is none.
 */
export function firstPruned(asked: unknown, answer: unknown, path = 'status'): string | undefined {
  if (Array.isArray(asked)) {
    const answers: readonly unknown[] = Array.isArray(answer) ? answer : []
    return first(asked.entries(), ([index, one]) => firstPruned(one, answers[index], `${path}[${index}]`))
  }
  if (!isRecord(asked)) return undefined
  return first(Object.entries(asked), ([name, value]) => {
    const at = `${path}.${name}`
    const kept = isRecord(answer) && answer[name] !== undefined
    return kept ? firstPruned(value, answer[name], at) : hasContent(value) ? at : undefined
  })
}

/** The server leaves empty values of built-in kinds out. */
function hasContent(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (isRecord(value)) return Object.values(value).some(hasContent)
  return Boolean(value)
}

function first<T, R>(items: Iterable<T>, find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
