/**
 * Writes status as the roles in the field allow it: the object is read whole, changed, and PUT to `/status`; never a
 * projection, and never when nothing changed. What the server made of a write is remembered, so that a field that the
 * installed definition prunes is not written again and again; nor is an object that it refuses as it is stored.
 */
import { describeError, type Logger } from '@landfall/telemetry'
import { ApiError, hasStatus } from './api-error.ts'
import { type Backoff, delayMs } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import type { Key, KubeObject } from './model/index.ts'
import type { RawObject, ResourceType } from './resource.ts'
import { firstPruned, sameWritable, type Writable, writableOf } from './status-fields.ts'

/**
 * `pruned`: written, but the installed definition knows not all of it. `forbidden`: no right, or no status to write.
 * `refused`: the precondition did not hold. `invalid`: the installed definition refuses the object, which older ones
 * took, and with it any status; it is tried again when the object or what is asked for has changed.
 */
export type WriteOutcome = 'written' | 'unchanged' | 'pruned' | 'gone' | 'forbidden' | 'refused' | 'invalid'

export interface WriteOptions {
  /** Asked right before the write: still leader? */
  readonly precondition?: () => boolean
}

/** The object with its new status (of a built-in kind also its annotations), or undefined to leave it. */
export type Mutation = (raw: RawObject) => RawObject | undefined

interface Memory {
  readonly asked: Writable
  readonly stored: Writable
}

/** A write that was refused for what the object is. */
interface Refused {
  /** As text, without times: who says the same anew says it at another time. */
  readonly asked: string
  readonly version: string | undefined
}

const conflictRetries = 5
/** A right that was missing is asked for again; an API server that has just started refuses everybody for a moment. */
const forbidden = { firstMs: 500, ceilingMs: 300_000 }
/** So many refusals in a row are meant. */
const meantRefusals = 3

export class StatusWriter {
  readonly #cluster: Cluster
  readonly #logger: Logger
  readonly #forbiddenBackoff: Backoff
  readonly #onConflict: (kind: string) => void
  /** By type and key: what was asked for, where the server stored something else. */
  readonly #memory = new Map<string, Memory>()
  /** By type and key. */
  readonly #refused = new Map<string, Refused>()
  /** By type: refusals in a row, and when to ask again. */
  readonly #forbidden = new Map<string, { readonly times: number; readonly until: number }>()
  readonly #saidPruned = new Set<string>()

  /** @param onConflict told the kind of an object that changed while it was written */
  constructor(
    cluster: Cluster,
    logger: Logger,
    forbiddenBackoff: Backoff = forbidden,
    onConflict: (kind: string) => void = () => {},
  ) {
    this.#onConflict = onConflict
    this.#cluster = cluster
    this.#logger = logger
    this.#forbiddenBackoff = forbiddenBackoff
  }

  /**
   * @param mutate gets a copy of its own, anew after each conflict
   * @throws ApiError when the server could not be reached or failed
   */
  async write<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    mutate: Mutation,
    options: WriteOptions = {},
  ): Promise<WriteOutcome> {
    if (options.precondition?.() === false) return 'refused'
    if (this.forbiddenMs(type) > 0) return 'forbidden'
    for (let attempt = 0; ; attempt++) {
      try {
        const outcome = await this.#writeOnce(type, key, mutate, options)
        if (outcome === 'written' || outcome === 'pruned') this.#forbidden.delete(type.plural)
        return outcome
      } catch (error) {
        if (hasStatus(error, 403)) return this.#forbid(type, error)
        if (hasStatus(error, 404)) return this.#missing(type, key, error)
        if (!hasStatus(error, 409)) throw error
        this.#onConflict(type.kind)
        if (attempt >= conflictRetries) throw error
      }
    }
  }

  /** How long no write of this type is tried, in milliseconds; 0: now. */
  forbiddenMs<T extends KubeObject>(type: ResourceType<T>): number {
    const until = this.#forbidden.get(type.plural)?.until ?? 0
    return Math.max(0, Math.ceil(until - performance.now()))
  }

  async #writeOnce<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    mutate: Mutation,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    const current = await this.#cluster.get(type, key)
    const wanted = mutate(structuredClone(current))
    if (wanted === undefined) return 'unchanged'
    const stored = writableOf(current)
    const asked = writableOf(wanted)
    const id = `${type.plural}/${key}`
    const known = this.#memory.get(id)
    if (sameWritable(asked, stored)) return 'unchanged'
    if (known && sameWritable(known.asked, asked) && sameWritable(known.stored, stored)) return 'unchanged'
    const { resourceVersion: version } = current.metadata
    const refused = this.#refused.get(id)
    if (refused && refused.version === version && refused.asked === timeless(asked)) return 'invalid'
    if (options.precondition?.() === false) return 'refused'
    const updated = await this.#update(type, wanted)
    if (updated instanceof ApiError) {
      if (refused?.version !== version) this.#sayInvalid(type, key, updated)
      this.#refused.set(id, { asked: timeless(asked), version })
      return 'invalid'
    }
    this.#refused.delete(id)
    const answer = writableOf(updated)
    if (sameWritable(answer, asked)) this.#memory.delete(id)
    else this.#memory.set(id, { asked, stored: answer })
    const field = firstPruned(asked.status, answer.status)
    if (field === undefined) return 'written'
    this.#sayPruned(type, field)
    return 'pruned'
  }

  /** @returns the error of a server that finds the object itself invalid */
  async #update<T extends KubeObject>(type: ResourceType<T>, wanted: RawObject) {
    try {
      return await this.#cluster.update(type, wanted, 'status')
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) return error
      throw error
    }
  }

  /** Without the object, or with a definition that has no status? */
  async #missing<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    error: unknown,
  ): Promise<WriteOutcome> {
    this.#memory.delete(`${type.plural}/${key}`)
    this.#refused.delete(`${type.plural}/${key}`)
    try {
      await this.#cluster.get(type, key)
    } catch (again) {
      if (hasStatus(again, 404)) return 'gone'
      throw again
    }
    return this.#forbid(type, error)
  }

  #forbid<T extends KubeObject>(type: ResourceType<T>, error: unknown): WriteOutcome {
    // Writes that were under way together are refused together: that is one refusal.
    if (this.forbiddenMs(type) > 0) return 'forbidden'
    const times = (this.#forbidden.get(type.plural)?.times ?? 0) + 1
    const until = performance.now() + delayMs(this.#forbiddenBackoff, times - 1)
    this.#forbidden.set(type.plural, { times, until })
    if (times === meantRefusals) {
      this.#logger.warn(
        'statusForbidden',
        { resource: type.plural, error: describeError(error) },
        'status of this kind is not written',
      )
    }
    return 'forbidden'
  }

  #sayInvalid<T extends KubeObject>(type: ResourceType<T>, key: Key, error: ApiError): void {
    const fields = { resource: type.plural, key, error: describeError(error) }
    this.#logger.warn('statusRefused', fields, 'the installed definition refuses the object as it is stored')
  }

  #sayPruned<T extends KubeObject>(type: ResourceType<T>, field: string): void {
    const fields = field.replaceAll(/\[\d+\]/g, '[]')
    if (this.#saidPruned.has(`${type.plural} ${fields}`)) return
    this.#saidPruned.add(`${type.plural} ${fields}`)
    this.#logger.warn(
      'statusPruned',
      { resource: type.plural, field: fields },
      'the installed definition does not know this field',
    )
  }
}

function timeless(asked: Writable): string {
  return JSON.stringify(asked, (name, value: unknown) => (name === 'lastTransitionTime' ? undefined : value))
}
