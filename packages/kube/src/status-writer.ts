/**
 * Writes status as the roles in the field allow it: the object is read whole, changed, and PUT to `/status`; never a
 * projection, and never when nothing changed. What the installed definition prunes is remembered and not written again.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '@landfall/telemetry'
import { hasStatus } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import type { Key, KubeObject } from './model/index.ts'
import type { RawObject, ResourceType } from './resource.ts'

export type WriteOutcome = 'written' | 'unchanged' | 'gone' | 'forbidden' | 'refused'

export interface WriteOptions {
  /** Asked right before the write: still leader? */
  readonly precondition?: () => boolean
}

const conflictRetries = 5

export class StatusWriter {
  readonly #cluster: Cluster
  readonly #logger: Logger
  /** By type and key: a status that was asked for, and what the server made of it. */
  readonly #pruned = new Map<string, { readonly asked: unknown; readonly stored: unknown }>()
  readonly #forbidden = new Set<string>()

  constructor(cluster: Cluster, logger: Logger) {
    this.#cluster = cluster
    this.#logger = logger
  }

  /**
   * @param mutate the object with its new status, or undefined to leave it; must not change its argument
   * @throws ApiError when the server could not be reached or failed; 403, 404 and a missing precondition are outcomes
   */
  async write<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    mutate: (raw: RawObject) => RawObject | undefined,
    options: WriteOptions = {},
  ): Promise<WriteOutcome> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#writeOnce(type, key, mutate, options)
      } catch (error) {
        if (hasStatus(error, 404)) return 'gone'
        if (hasStatus(error, 403)) return this.#sayForbidden(type, error)
        if (!hasStatus(error, 409) || attempt >= conflictRetries) throw error
      }
    }
  }

  async #writeOnce<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    mutate: (raw: RawObject) => RawObject | undefined,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    const current = await this.#cluster.get(type, key)
    const wanted = mutate(current)
    const asked = wanted?.['status']
    const stored = current['status']
    if (wanted === undefined || isDeepStrictEqual(asked, stored)) return 'unchanged'
    const memory = `${type.plural}/${key}`
    const known = this.#pruned.get(memory)
    if (known !== undefined && isDeepStrictEqual(known, { asked, stored })) return 'unchanged'
    if (options.precondition?.() === false) return 'refused'
    const answer = await this.#cluster.update(type, wanted, 'status')
    if (isDeepStrictEqual(answer['status'], asked)) this.#pruned.delete(memory)
    else this.#pruned.set(memory, { asked, stored: answer['status'] })
    return 'written'
  }

  #sayForbidden<T extends KubeObject>(type: ResourceType<T>, error: unknown): WriteOutcome {
    if (!this.#forbidden.has(type.plural)) {
      this.#logger.warn(
        'statusForbidden',
        { resource: type.plural, error },
        'status of this kind is not written',
      )
      this.#forbidden.add(type.plural)
    }
    return 'forbidden'
  }
}
