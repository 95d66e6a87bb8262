// ConfigMaps and Secrets that running pods refer to: one watch per object, as the kubelet does it,
// shared by all that hold it and ended when the last lets go.
import type { ApiClient } from './api-client.ts'
import type { ConfigMap, Secret } from './pod.ts'
import { ResourceWatch } from './resource-watch.ts'

export type Referenced = {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly namespace: string
  readonly name: string
}

/** `undefined` until the first answer of the server; then the object or that there is none. */
export type Lookup<T> = { readonly found: true; readonly object: T } | { readonly found: false } | undefined

interface Entry {
  readonly watch: ResourceWatch<ConfigMap & Secret>
  readonly holders: Set<() => void>
  synced: boolean
}

export class ObjectCache {
  readonly #client: ApiClient
  readonly #onProblem: (problem: unknown) => void
  readonly #entries = new Map<string, Entry>()

  constructor(client: ApiClient, onProblem: (problem: unknown) => void) {
    this.#client = client
    this.#onProblem = onProblem
  }

  /** Starts following the object; `onChange` runs at each change, the first answer included. */
  hold(reference: Referenced, onChange: () => void): void {
    const key = keyOf(reference)
    const existing = this.#entries.get(key)
    if (existing !== undefined) {
      existing.holders.add(onChange)
      return
    }
    const entry: Entry = {
      holders: new Set([onChange]),
      synced: false,
      watch: new ResourceWatch<ConfigMap & Secret>({
        client: this.#client,
        path: `/api/v1/namespaces/${reference.namespace}/${reference.kind === 'Secret' ? 'secrets' : 'configmaps'}`,
        fieldSelector: `metadata.name=${reference.name}`,
        onChange: () => {
          if (entry.synced) notify(entry)
        },
        onSynced: () => {
          if (entry.synced) return
          entry.synced = true
          notify(entry)
        },
        onProblem: this.#onProblem,
      }),
    }
    this.#entries.set(key, entry)
  }

  release(reference: Referenced, onChange: () => void): void {
    const key = keyOf(reference)
    const entry = this.#entries.get(key)
    entry?.holders.delete(onChange)
    if (entry === undefined || entry.holders.size > 0) return
    entry.watch.stop()
    this.#entries.delete(key)
  }

  get(reference: Referenced): Lookup<ConfigMap & Secret> {
    const entry = this.#entries.get(keyOf(reference))
    if (entry === undefined || !entry.synced) return undefined
    const [object] = entry.watch.objects.values()
    return object === undefined ? { found: false } : { found: true, object }
  }

  refresh(): void {
    for (const entry of this.#entries.values()) entry.watch.refresh()
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.watch.stop()
    this.#entries.clear()
  }
}

function keyOf(reference: Referenced): string {
  return `${reference.kind}/${reference.namespace}/${reference.name}`
}

function notify(entry: Entry): void {
  for (const holder of entry.holders) holder()
}
