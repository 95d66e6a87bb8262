/**
 * Writes status as the roles in the field allow it: the object is read whole, changed, and PUT to `/status`; never when
 * nothing changed. What was observed may be sent without being read first, of a custom resource its status alone, since
 * the server takes nothing else.
 * What the server made of a write is remembered, so that a field that the installed definition prunes is not written
 * again and again; nor is an object that it refuses as it is stored, or that admission denies. A right that is missing
 * holds all writes of the kind back, a denial only those of its object.
 */
import { describeError, type Logger } from '@landfall/telemetry'
import { ApiError, hasStatus } from './api-error.ts'
import { type Backoff, delayMs } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import type { Key, KubeObject } from './model/index.ts'
import type { RawObject, ResourceType } from './resource.ts'
import { firstPruned, sameWritable, type Writable, writableOf } from './status-fields.ts'

/**
 * `pruned`: written, but the installed definition knows not all of it. `forbidden`: no right, no status to write, or
 * admission denies this one object; the caller comes again after `forbiddenMs`. `refused`: the precondition did not hold.
 * `invalid`: the installed definition refuses the object, which older ones took, and with it any status; it is tried
 * again when the object or what is asked for has changed.
 */
export type WriteOutcome = 'written' | 'unchanged' | 'pruned' | 'gone' | 'forbidden' | 'refused' | 'invalid'

export interface WriteOptions {
  /** Asked right before the write: still leader? */
  readonly precondition?: () => boolean
  /**
   * As observed: a built-in kind whole, of a custom resource name, version and status. It is changed and sent without
   * being read first; if it is not the newest, it is read after all.
   */
  readonly observed?: RawObject
}

/** The object with its new status (of a built-in kind also its annotations), or undefined to leave it. */
export type Mutation = (raw: RawObject) => RawObject | undefined

interface Memory {
  readonly asked: Writable
  readonly stored: Writable
}

/** What was asked, of which version of the object. */
interface Asked {
  /** As text, without times: who says the same anew says it at another time. */
  readonly asked: string
  readonly version: string | undefined
}

/** A write that was refused for what the object is, or for what it was to say. */
interface Refused extends Asked {
  readonly outcome: 'invalid' | 'forbidden'
  /** Denials in a row. */
  readonly times: number
  /** When the same is tried again. */
  readonly until: number
}

const conflictRetries = 5
/** A right that was missing, or a write that was denied, is asked for again: a server that just started refuses everybody. */
const forbidden = { firstMs: 500, ceilingMs: 300_000 }
/** So many refusals in a row are meant. */
const meantRefusals = 3
/** Objects whose writes did not end as asked. One that is forgotten costs a write. */
const mostRemembered = 10_000

export class StatusWriter {
  readonly #cluster: Cluster
  readonly #logger: Logger
  readonly #forbiddenBackoff: Backoff
  readonly #onConflict: (kind: string) => void
  readonly #mostRemembered: number
  /** By type and key: what was asked for, where the server stored something else. */
  readonly #memory = new Map<string, Memory>()
  /** By type and key. */
  readonly #refused = new Map<string, Refused>()
  /** By type: refusals in a row, and when to ask again. */
  readonly #forbidden = new Map<string, { readonly times: number; readonly until: number }>()
  readonly #saidPruned = new Set<string>()

  /**
   * @param onConflict told the kind of an object that changed while it was written
   * @param most objects whose refusals, and as many whose pruned statuses, are remembered
   */
  constructor(
    cluster: Cluster,
    logger: Logger,
    forbiddenBackoff: Backoff = forbidden,
    onConflict: (kind: string) => void = () => {},
    most = mostRemembered,
  ) {
    this.#onConflict = onConflict
    this.#mostRemembered = most
    this.#cluster = cluster
    this.#logger = logger
    this.#forbiddenBackoff = forbiddenBackoff
  }

  /**
   * @param mutate gets a copy of its own, anew after each conflict; what is given as observed it must leave as it is
   * @throws ApiError when the server could not be reached or failed
   */
  async write<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    mutate: Mutation,
    options: WriteOptions = {},
  ): Promise<WriteOutcome> {
    if (options.precondition?.() === false) return 'refused'
    if (this.#isForbidden(type)) return 'forbidden'
    let { observed } = options
    for (let attempt = 0; ; attempt++) {
      try {
        const outcome = await this.#writeOnce(type, key, mutate, options, observed)
        if (outcome === 'written' || outcome === 'pruned') this.#forbidden.delete(type.plural)
        return outcome
      } catch (error) {
        if (isDenial(error)) return this.#refuse(type, key, { asked: '', version: undefined }, error)
        if (hasStatus(error, 403)) return this.#forbid(type, error)
        if (hasStatus(error, 404)) return this.#missing(type, key, error)
        if (!hasStatus(error, 409)) throw error
        if (observed !== undefined) attempt--
        observed = undefined
        this.#onConflict(type.kind)
        if (attempt >= conflictRetries) throw error
      }
    }
  }

  /**
   * How long what was `forbidden` is not tried again, in milliseconds; 0: now.
   * @param key without it, until no object of the type has to wait any more
   */
  forbiddenMs<T extends KubeObject>(type: ResourceType<T>, key?: Key): number {
    let until = this.#forbidden.get(type.plural)?.until ?? 0
    for (const one of key === undefined ? this.#refusedOf(type) : [this.#refused.get(idOf(type, key))])
      if (one?.outcome === 'forbidden') until = Math.max(until, one.until)
    return Math.max(0, Math.ceil(until - performance.now()))
  }

  *#refusedOf<T extends KubeObject>(type: ResourceType<T>): Generator<Refused> {
    for (const [id, one] of this.#refused) if (id.startsWith(idOf(type, ''))) yield one
  }

  #isForbidden<T extends KubeObject>(type: ResourceType<T>): boolean {
    return performance.now() < (this.#forbidden.get(type.plural)?.until ?? 0)
  }

  async #writeOnce<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    mutate: Mutation,
    options: WriteOptions,
    observed: RawObject | undefined,
  ): Promise<WriteOutcome> {
    const current = observed ?? (await this.#cluster.get(type, key))
    const wanted = mutate(observed ?? structuredClone(current))
    if (wanted === undefined) return 'unchanged'
    const stored = writableOf(current)
    const asked = writableOf(wanted)
    const id = idOf(type, key)
    const known = this.#memory.get(id)
    if (sameWritable(asked, stored)) return 'unchanged'
    if (known && sameWritable(known.asked, asked) && sameWritable(known.stored, stored)) return 'unchanged'
    const { resourceVersion: version } = current.metadata
    const refused = this.#refused.get(id)
    if (refused && performance.now() < refused.until && refused.version === version) {
      if (refused.asked === timeless(asked)) return refused.outcome
    }
    if (options.precondition?.() === false) return 'refused'
    const updated = await this.#update(type, wanted)
    if (updated instanceof ApiError) {
      return this.#refuse(type, key, { asked: timeless(asked), version }, updated)
    }
    this.#refused.delete(id)
    const answer = writableOf(updated)
    if (sameWritable(answer, asked)) this.#memory.delete(id)
    else this.#remember(this.#memory, id, { asked, stored: answer })
    const field = firstPruned(asked.status, answer.status)
    if (field === undefined) return 'written'
    this.#sayPruned(type, field)
    return 'pruned'
  }

  /** @returns the error of a server that finds the object itself invalid, or denies what it is to say */
  async #update<T extends KubeObject>(type: ResourceType<T>, wanted: RawObject) {
    try {
      return await this.#cluster.update(type, wanted, 'status')
    } catch (error) {
      if (isDenial(error) || (error instanceof ApiError && error.status === 422)) return error
      throw error
    }
  }

  /** @param error about this one object */
  #refuse<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    asked: Asked,
    error: ApiError,
  ): Refused['outcome'] {
    const id = idOf(type, key)
    const before = this.#refused.get(id)
    if (error.status === 422) {
      const isKnown = before?.outcome === 'invalid' && before.version === asked.version
      if (!isKnown) this.#sayInvalid(type, key, error)
      this.#remember(this.#refused, id, { ...asked, outcome: 'invalid', times: 0, until: Infinity })
      return 'invalid'
    }
    const times = (before?.times ?? 0) + 1
    const until = performance.now() + delayMs(this.#forbiddenBackoff, times - 1)
    this.#remember(this.#refused, id, { ...asked, outcome: 'forbidden', times, until })
    if (times === meantRefusals) this.#sayDenied(type, key, error)
    return 'forbidden'
  }

  #remember<T>(all: Map<string, T>, id: string, one: T): void {
    all.delete(id)
    all.set(id, one)
    if (all.size <= this.#mostRemembered) return
    const [oldest] = all.keys()
    if (oldest !== undefined) all.delete(oldest)
  }

  /** Without the object, or with a definition that has no status? */
  async #missing<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    error: unknown,
  ): Promise<WriteOutcome> {
    this.#memory.delete(idOf(type, key))
    this.#refused.delete(idOf(type, key))
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
    if (this.#isForbidden(type)) return 'forbidden'
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

  #sayDenied<T extends KubeObject>(type: ResourceType<T>, key: Key, error: ApiError): void {
    const fields = { resource: type.plural, key, error: describeError(error) }
    this.#logger.warn('statusDenied', fields, 'status of this object is not written')
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

function idOf<T extends KubeObject>({ plural }: ResourceType<T>, key: Key): string {
  return `${plural}/${key}`
}

/**
 * A refusal of one write by admission (a policy, a webhook, a plug-in), or by something in between. Of a right that is
 * missing the server says who may not do what, in the same words for every object of the kind.
 */
function isDenial(error: unknown): error is ApiError {
  return (
    error instanceof ApiError &&
    error.status === 403 &&
    !/ is forbidden: User ".*" cannot /.test(error.message)
  )
}

function timeless(asked: Writable): string {
  return JSON.stringify(asked, (name, value: unknown) => (name === 'lastTransitionTime' ? undefined : value))
}
