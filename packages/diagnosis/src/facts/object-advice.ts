/** What to do about an object, with what the other objects add to it. */
import { splitKey } from '@landfall/kube/model'
import type { Observed } from '../observed.ts'
import { type About, adviceOn, editing } from './advice.ts'
import { adviceOnLack } from './allocation-lack.ts'

const mostSecrets = 3

interface Fault {
  readonly severity: 'error' | 'warning'
  readonly reason: string
  readonly message: string
}

export function adviceOnObject(
  observed: Observed,
  object: Pick<About, 'kind' | 'name'>,
  { severity, reason, message }: Fault,
): string {
  const { pools, places } = observed
  const about = { ...object, places }
  // No name could be corrected to that of another.
  if (reason === 'UnknownPool' && pools.items.length === 0 && pools.gap === undefined)
    return adviceOnLack(observed, object, { reason: 'NoPools', message: '' })
  const [, missing] = /Secret "([^"/]+\/[^"]+)" not found/.exec(message) ?? []
  if (reason !== 'SecretNotValid' || missing === undefined)
    return adviceOn(reason, about, message) || (severity === 'error' ? correctionOf(object) : '')
  return `${adviceOn(reason, about, message)}${certificatesIn(observed, splitKey(missing).namespace)}`
}

/** What a program says of all objects is corrected in none of its own. */
function correctionOf({ kind, name }: Pick<About, 'kind' | 'name'>): string {
  return kind === 'ConfigurationState' ? '' : `Correct what is named: ${editing(kind, name)}`
}

/** Names to take instead. */
function certificatesIn({ secrets }: Observed, namespace: string): string {
  if (secrets.gap !== undefined) return ''
  const names = secrets.items
    .filter(({ meta, type }) => meta.namespace === namespace && type === 'kubernetes.io/tls')
    .map(({ meta }) => meta.name)
    .toSorted()
  if (names.length === 0) return `; no TLS Secret is in namespace ${namespace}`
  const more = names.length > mostSecrets ? [`${names.length - mostSecrets} more`] : []
  return `; TLS Secrets there: ${[...names.slice(0, mostSecrets), ...more].join(', ')}`
}
