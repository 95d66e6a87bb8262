/** What a session says in the log, once per event that an operator would look for. */
import { type Family, formatIP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import type { BgpPeerPlan } from '../plan/bgp-plan.ts'
import { type BgpError, nameOfError, readShutdownText, reasonWithin } from './codec/index.ts'
import type { Ending } from './fsm/index.ts'
import { describeUnsent, type UnsentRoute } from './rib/index.ts'

/** `192.0.2.1:179`, `[2001:db8::1]:179`, `eth0:179`. */
export function nameOfPeer(peer: Pick<BgpPeerPlan, 'address' | 'interface' | 'port'>): string {
  const { address, port } = peer
  if (address === undefined) return `${peer.interface ?? ''}:${port}`
  return address.family === 4 ? `${formatIP(address)}:${port}` : `[${formatIP(address)}]:${port}`
}

/** One that may be any is known with the first session. */
export function knownASN({ peerASN }: Pick<BgpPeerPlan, 'peerASN'>): { readonly peerASN?: number } {
  return peerASN === 'external' ? {} : { peerASN }
}

/** A stable word or two: `connectTimeout`, `holdTimerExpired`, `peer: open/badPeerAS`. */
export function reasonOf(ending: Ending): string {
  switch (ending.kind) {
    case 'connectFailed':
      return `connectFailed: ${ending.message}`
    case 'closed':
      return ending.message === undefined ? 'connectionClosed' : `connectionClosed: ${ending.message}`
    case 'notificationReceived':
      return `peer: ${describeError(ending.error)}`
    case 'notificationSent':
      return describeError(ending.error)
    default:
      return ending.kind
  }
}

/** The same as a code and what is to be said with it. */
export function whyEnded(ending: Ending): Why {
  switch (ending.kind) {
    case 'connectFailed': {
      const [, word, text = ''] = /^([a-z]+[A-Z][A-Za-z]*): (.*)$/s.exec(ending.message) ?? []
      return word === undefined
        ? { reason: 'connectFailed', message: ending.message }
        : { reason: word, message: text }
    }
    case 'connectTimeout':
      return { reason: 'connectTimeout', message: 'the peer does not answer, or has another password' }
    case 'closed':
      return { reason: 'connectionClosed', message: ending.message ?? 'the peer closed the connection' }
    case 'notificationReceived':
      return { reason: 'notificationReceived', message: `the peer said ${describeError(ending.error)}` }
    case 'notificationSent':
      return {
        reason: 'notificationSent',
        message: [`this node said ${describeError(ending.error)}`, ending.detail].filter(Boolean).join(': '),
      }
    default:
      return { reason: ending.kind, message: '' }
  }
}

export interface Why {
  /** Stable. */
  readonly reason: string
  /** For people. */
  readonly message: string
}

export class SessionLog {
  readonly #logger: Logger
  #fields: Readonly<Record<string, unknown>>
  #lastFailure: string | undefined
  #lastUnsent = ''

  constructor(logger: Logger, peer: BgpPeerPlan) {
    this.#logger = logger
    this.#fields = { localASN: peer.myASN, peer: nameOfPeer(peer), ...knownASN(peer) }
  }

  up(peerASN: number): void {
    this.#fields = { ...this.#fields, peerASN }
    this.#lastFailure = undefined
    this.#logger.info('sessionUp', this.#fields, 'BGP session established')
  }

  ended(ending: Ending, wasEstablished: boolean): void {
    if (ending.kind === 'notificationReceived') this.#notification(ending.error)
    const reason = reasonOf(ending)
    if (wasEstablished) {
      this.#logger.warn('sessionDown', { ...this.#fields, reason }, 'BGP session down')
      return
    }
    // An attempt that fails like the one before it is no news.
    const level = reason === this.#lastFailure ? 'debug' : 'warn'
    this.#lastFailure = reason
    this.#logger[level]('connectFailed', { ...this.#fields, op: 'connect', reason }, 'no BGP session')
  }

  updated(counts: { readonly announced: number; readonly withdrawn: number; readonly total: number }): void {
    this.#logger.info('updatedAdvertisements', { ...this.#fields, ...counts }, 'advertisements updated')
  }

  unsent(routes: readonly UnsentRoute[]): void {
    const text = routes.map(describeUnsent)
    if (text.join() !== this.#lastUnsent && routes.length > 0) {
      const fields = { ...this.#fields, count: routes.length, routes: text.slice(0, 10) }
      this.#logger.warn('routesNotSent', fields, 'routes that this session cannot carry')
    }
    this.#lastUnsent = text.join()
  }

  /** RFC 4271 §6.8. */
  collision(): void {
    this.#logger.debug('connectionCollision', this.#fields, 'the peer dialled as we did, one of both goes')
  }

  refresh(family: Family): void {
    this.#logger.debug('routeRefresh', { ...this.#fields, family }, 'peer asked for all routes again')
  }

  faults(attributes: readonly number[]): void {
    this.#logger.debug(
      'updateFaults',
      { ...this.#fields, attributes },
      'faulty path attributes from the peer',
    )
  }

  #notification(error: BgpError): void {
    const reason = reasonWithin(error)
    const fields = {
      ...this.#fields,
      code: error.code,
      subcode: error.subcode,
      reason: nameOfBoth(error, reason),
      text: readShutdownText(reason),
    }
    this.#logger.warn('peerNotification', fields, 'peer sent a notification')
  }
}

function describeError(error: BgpError): string {
  const reason = reasonWithin(error)
  const text = readShutdownText(reason)
  return text === undefined ? nameOfBoth(error, reason) : `${nameOfBoth(error, reason)} (${text})`
}

/** `cease/hardReset: cease/administrativeShutdown` */
function nameOfBoth(error: BgpError, reason: BgpError): string {
  return reason === error ? nameOfError(error) : `${nameOfError(error)}: ${nameOfError(reason)}`
}
