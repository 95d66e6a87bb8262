/**
 * MetalLB's webhooks, for as long as an older manifest has them registered: without an answer on 9443 the API server
 * refuses each pool and peer. Looks now and then whether one is registered, serves while it is, and as leader keeps
 * the certificate and the trust in it. Without a registration nothing is served and nothing made.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, delayMs, hasStatus, type RawObject } from '@landfall/kube'
import { describeError, type HttpServer, type Logger, serveHttp, type TlsSettings } from '@landfall/telemetry'
import type { CertificateSource, Shown } from './certificate.ts'
import { calledName, conversion, type Registration, trusts, validation } from './registration.ts'
import { reviewOf } from './review.ts'

export interface WebhooksOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly certificate: CertificateSource
  readonly address: string
  /** 9443; 0 for any, which tests use. */
  readonly port: number
  readonly tls: TlsSettings
  /** Still leader? Only the leader writes. */
  readonly mayWrite: () => boolean
}

interface Found {
  readonly registration: Registration
  readonly raw: RawObject
}

/** What a look found. */
type Look = 'served' | 'waiting' | 'notRegistered' | 'notGranted'

/** Until the next look. Manifests that are applied again take our authority out of the definition. */
const waitMs: Readonly<Record<Look, number>> = {
  served: 10_000,
  waiting: 1000,
  notRegistered: 30_000,
  notGranted: 300_000,
}
const failed = { firstMs: 500, ceilingMs: 60_000 }

export class Webhooks {
  readonly #options: WebhooksOptions
  #server: HttpServer | undefined
  #shown: Shown | undefined
  /** What the last look said, and what this one says. */
  #said: ReadonlySet<string> = new Set()
  #saying = new Set<string>()

  constructor(options: WebhooksOptions) {
    this.#options = options
  }

  /** The port that is served, 0 for none. */
  get port(): number {
    return this.#server?.port ?? 0
  }

  /** Until the signal. @param onLooked after each look that was answered */
  async run(onLooked: (look: Look) => void = () => {}): Promise<void> {
    const { cluster, signal } = this.#options
    let failures = 0
    while (!signal.aborted) {
      await cluster.gate.pass(signal)
      if (signal.aborted) break
      let pause: number
      try {
        const look = await this.#look()
        failures = 0
        pause = delayMs({ firstMs: waitMs[look], ceilingMs: waitMs[look] }, 0)
        onLooked(look)
      } catch (error) {
        if (!hasStatus(error, 0)) this.#say('webhookFailed', describeError(error), 'warn')
        pause = delayMs(failed, failures++)
      }
      this.#said = this.#saying
      this.#saying = new Set()
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
    await this.#stopServing()
  }

  async #look(): Promise<Look> {
    const found = await this.#registered()
    if (found === 'notGranted') {
      this.#say('webhookNotGranted', 'the role may not read webhook registrations: no webhook is served')
      return found
    }
    if (found.length === 0) {
      if (this.#server) this.#say('webhookStopped', 'no webhook is registered any more')
      await this.#stopServing()
      return 'notRegistered'
    }
    const clients = found.flatMap(({ registration, raw }) => registration.clients(raw))
    const called = clients.map(calledName).filter((name) => name !== undefined)
    const shown = await this.#options.certificate(called)
    if (shown === undefined) {
      this.#say('webhookWaits', 'the leader has to make the certificate of the webhooks first')
      return 'waiting'
    }
    await this.#serve(shown)
    for (const one of found) await this.#makeTrusted(one, shown)
    return 'served'
  }

  async #registered(): Promise<readonly Found[] | 'notGranted'> {
    const { cluster } = this.#options
    const found: Found[] = []
    let refused = 0
    for (const registration of [validation, conversion]) {
      try {
        const raw = await cluster.get(registration.type, registration.name)
        if (registration.clients(raw).length > 0) found.push({ registration, raw })
      } catch (error) {
        if (hasStatus(error, 403)) refused++
        else if (!hasStatus(error, 404)) throw error
      }
    }
    return refused === 2 ? 'notGranted' : found
  }

  async #serve(shown: Shown): Promise<void> {
    const { address, port, tls } = this.#options
    const context = { ...tls, cert: shown.certificate, key: shown.key }
    if (this.#server === undefined) {
      this.#server = await serveHttp({ address, port, routes: {}, posts: reviewOf, tls: context })
      this.#say('webhookServed', 'a webhook of MetalLB is registered, and answered')
    } else if (shown.certificate !== this.#shown?.certificate) {
      this.#server.setTls(context)
    }
    this.#shown = shown
  }

  async #makeTrusted({ registration, raw }: Found, { ca }: Shown): Promise<void> {
    const { cluster, logger, mayWrite } = this.#options
    if (ca === undefined || !mayWrite()) return
    if (registration.clients(raw).every((client) => trusts(client, ca))) return
    const { type, name } = registration
    try {
      await cluster.update(type, registration.trusting(raw, Buffer.from(ca).toString('base64')))
      logger.info('webhookTrusted', { kind: type.kind, name }, 'the authority of the webhooks is written')
    } catch (error) {
      // Somebody else wrote: the next look sees what.
      if (hasStatus(error, 404, 409)) return
      if (!hasStatus(error, 403)) throw error
      const advice = `the role may not update ${type.kind} ${name}: write ca.crt of the Secret into its caBundle`
      this.#say('webhookNotTrusted', advice, 'warn')
    }
  }

  async #stopServing(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close()
  }

  /** Not again at each look that says the same. */
  #say(event: string, message: string, level: 'info' | 'warn' = 'info'): void {
    this.#saying.add(message)
    if (!this.#said.has(message)) this.#options.logger[level](event, {}, message)
  }
}
