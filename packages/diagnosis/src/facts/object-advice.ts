/** What to do about an object, with what the other objects add to it. */
import { splitKey } from '@landfall/kube/model'
import type { Observed } from '../observed.ts'
import { adviceOn } from './advice.ts'
import { adviceOnLack } from './allocation-lack.ts'

const mostSecrets = 3

export function adviceOnObject(observed: Observed, reason: string, message: string): string {
  const { pools } = observed
  // No name could be corrected to that of another.
  if (reason === 'UnknownPool' && pools.items.length === 0 && pools.gap === undefined)
    return adviceOnLack(observed, { reason: 'NoPools', message: '' })
  const [, missing] = /Secret "([^"/]+\/[^"]+)" not found/.exec(message) ?? []
  if (reason !== 'SecretNotValid' || missing === undefined) return adviceOn(reason, message)
  return `${adviceOn(reason, message)}${certificatesIn(observed, splitKey(missing).namespace)}`
}

/** Names to take instead. */
function certificatesIn({ secrets }: Observed, namespace: string): string {
  if (secrets.gap !== undefined) return ''
  const names = secrets.items
    .filter(({ meta, type }) => meta.namespace === namespace && type === 'kubernetes.io/tls')
    .map(({ meta }) => meta.name)
    .toSorted()
  if (names.length === 0) return ` No TLS Secret is in namespace ${namespace}.`
  const more = names.length > mostSecrets ? [`${names.length - mostSecrets} more`] : []
  return ` TLS Secrets of namespace ${namespace}: ${[...names.slice(0, mostSecrets), ...more].join(', ')}.`
}
