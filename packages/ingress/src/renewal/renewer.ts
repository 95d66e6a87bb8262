/**
 * Renews the certificates between Envoys and the control plane while the program leads: reads the two Secrets, does what
 * `plan.ts` says as soon as nothing keeps it from it, and says when it cannot and the end is near.
 */
import { describeError, type Gauge, type Logger, type Metrics } from '@landfall/telemetry'
import { fingerprint, lifeOf, type Pair } from './material.ts'
import type { NewSet } from './plan.ts'
import {
  begun,
  endsSoon,
  isUrgent,
  newestClient,
  obstacle,
  type Replica,
  type Secrets,
  step,
} from './plan.ts'
import type { Found } from './secrets.ts'

export interface RenewerOptions {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly secrets: {
    /** @throws when they cannot be read now */
    readonly read: () => Promise<Found>
    /** Asked before keys are made. @throws when nobody can say now */
    readonly mayWrite: () => Promise<boolean>
    /** The client's goes first. @throws when they cannot be written now */
    readonly write: (secrets: Secrets) => Promise<'written' | 'forbidden'>
  }
  /** Made for as long as the old ones were. */
  readonly make: (days: number) => Promise<NewSet>
  /** Addresses of the replicas, `host:port`. */
  readonly replicas: () => Promise<readonly string[]>
  readonly probe: (request: {
    readonly address: string
    readonly authorities: readonly string[]
    readonly pair: Pair
    readonly letGoUnless?: string
  }) => Promise<Replica>
  /** When the certificate that this replica shows ends. */
  readonly shownUntil: () => Date | undefined
  /** Tells whom it concerns that the certificates will end. */
  readonly warn: (message: string) => void
  readonly now: () => number
  /** Longest between two looks, and shortest; 10 minutes, 5 seconds. */
  readonly longestMs?: number
  readonly shortestMs?: number
  /** How long Envoys get to come back by themselves with a new certificate; a fiftieth of its life, at most 90 s. */
  readonly patienceMs?: number
}

const dayMs = 24 * 3600 * 1000
/** What `certgen` sets the beginning back by. */
const leewayMs = 5 * 60 * 1000
const longestPatienceMs = 90_000

export function renewalBlocked(metrics: Metrics): Gauge {
  return metrics.gauge(
    'landfall_xds_certificate_renewal_blocked',
    '1: the certificates of the xDS channel will end, and nobody renews them.',
  )
}

export class Renewer {
  readonly #options: RenewerOptions
  readonly #blocked
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #started = false
  /** Since when Envoys have had the new certificate without all showing it. */
  #waitingSince: number | undefined
  #said = ''

  constructor(options: RenewerOptions) {
    this.#options = options
    this.#blocked = renewalBlocked(options.metrics)
    this.#blocked.set(0)
  }

  start(): void {
    this.#started = true
    this.#schedule(0)
  }

  /** Resolves when what is under way is done. */
  stop(): Promise<void> {
    this.#started = false
    clearTimeout(this.#timer)
    return this.#running
  }

  #schedule(ms: number): void {
    if (!this.#started) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#running = this.turn().then((next) => this.#schedule(next))
    }, ms)
    this.#timer.unref()
  }

  /** One look. @returns milliseconds until the next is worth it */
  async turn(): Promise<number> {
    const { longestMs = 600_000, shortestMs = 5000 } = this.#options
    try {
      return Math.min(longestMs, Math.max(shortestMs, await this.#look()))
    } catch (error) {
      this.#cannot(describeError(error))
      return longestMs / 10
    }
  }

  async #look(): Promise<number> {
    const { secrets: store, logger, now } = this.#options
    const found = await store.read()
    if (found.kind !== 'held') {
      this.#cannot(found.why)
      return Number.POSITIVE_INFINITY
    }
    const { secrets } = found
    const planned = step(secrets, now())
    if (planned.kind === 'idle') {
      this.#can()
      return planned.dueAt - now()
    }
    if (planned.kind === 'begin') {
      if (!(await store.mayWrite())) return this.#forbidden()
      const { from, to } = lifeOf(secrets.server.certificate)
      const made = await this.#options.make(Math.max(1 / 1440, (to - from - leewayMs) / dayMs))
      return await this.#write(begun(secrets, planned.keep, made), 'begin')
    }
    const why = obstacle(planned.to, secrets, await this.#ask(secrets))
    if (why === undefined) return await this.#write(planned.next, planned.to)
    if (isUrgent(secrets, now()) && planned.to !== 'finish') {
      logger.warn('certificateRenewalForced', { step: planned.to, why })
      return await this.#write(planned.next, planned.to)
    }
    this.#say('certificateRenewalWaits', { step: planned.to, why })
    return 0
  }

  /** Envoys that have had time enough are let go, so that they show what they have now. */
  async #ask(secrets: Secrets): Promise<readonly Replica[]> {
    const { replicas, probe, now, patienceMs = patience(secrets) } = this.#options
    const authorities = [...new Set([...secrets.server.authorities, ...secrets.client.authorities])]
    const pair = newestClient(secrets)
    const expected = secrets.client.next === undefined ? fingerprint(secrets.client.certificate) : undefined
    if (expected === undefined) this.#waitingSince = undefined
    else this.#waitingSince ??= now()
    const impatient = this.#waitingSince !== undefined && now() - this.#waitingSince >= patienceMs
    if (impatient) this.#waitingSince = now()
    const more = impatient && expected !== undefined ? { letGoUnless: expected } : {}
    const addresses = await replicas()
    return Promise.all(addresses.map((address) => probe({ address, authorities, pair, ...more })))
  }

  async #write(secrets: Secrets, name: string): Promise<number> {
    const outcome = await this.#options.secrets.write(secrets)
    if (outcome === 'forbidden') return this.#forbidden()
    this.#options.logger.info('certificateRenewal', { step: name })
    this.#waitingSince = undefined
    this.#can()
    return 0
  }

  #forbidden(): number {
    this.#cannot('the Secrets may not be written')
    return Number.POSITIVE_INFINITY
  }

  #can(): void {
    this.#blocked.set(0)
  }

  /** Nothing is said while there is time enough for whoever renews them. */
  #cannot(why: string): void {
    const { shownUntil, now, warn } = this.#options
    const until = shownUntil()?.getTime()
    this.#say('certificateNotRenewed', { why })
    const soon = until !== undefined && endsSoon(until, now())
    this.#blocked.set(soon ? 1 : 0)
    if (soon) {
      const end = new Date(until).toISOString()
      warn(`the certificates between Envoys and the control plane end at ${end} and are not renewed: ${why}`)
    }
  }

  /** Once, until something else is said. */
  #say(event: string, fields: Readonly<Record<string, string>>): void {
    const text = JSON.stringify([event, fields])
    if (text !== this.#said) this.#options.logger.info(event, fields)
    this.#said = text
  }
}

function patience({ client }: Secrets): number {
  const { from, to } = lifeOf(client.certificate)
  return Math.min(longestPatienceMs, (to - from) / 50)
}
