/**
 * One session that takes whatever bytes arrive, as its rim does: stream → frames → messages → state machine, and what
 * that answers → bytes. Every answer is checked; time passes when nothing else can happen.
 */
import {
  type BgpError,
  decodeMessage,
  encodeMessage,
  nextFrame,
  type Received,
  type SessionContext,
} from '../codec/index.ts'
import {
  type Event,
  firstContext,
  nextDeadline,
  type PeerSettings,
  type State,
  step,
  stopped,
} from '../fsm/index.ts'
import { peerASN } from './corpus.ts'

/** Effects of one event, with room to spare. */
const mostEffects = 12
const ours = { routerID: 0x0a4d000b, restarting: false } as const

export class FuzzedSession {
  readonly #settings: PeerSettings
  #state: State = stopped
  #now = 0
  /** Events by their kind, and messages that ended something by the error they were answered with. */
  readonly counts = new Map<string, number>()

  constructor(random: () => number) {
    this.#settings = {
      localASN: 65000,
      peerASN,
      families: [4, 6],
      multiprotocol: true,
      extendedNextHop: true,
      restartSeconds: 120,
      passive: false,
      holdSeconds: 90,
      random,
    }
  }

  get kind(): State['kind'] {
    return this.#state.kind
  }

  /** Lets pass what must, until there is a connection. */
  connect(): void {
    if (this.#state.kind === 'idle' && this.#state.startAt === undefined) this.#on({ kind: 'start' })
    for (let left = 4; left > 0 && this.#state.kind !== 'openSent'; left--) {
      if (this.#state.kind === 'connect') this.#on({ kind: 'connected', ...ours })
      else this.wait()
    }
  }

  wait(): void {
    this.#now = nextDeadline(this.#state) ?? this.#now
    this.#on({ kind: 'tick' })
  }

  /** The peer dials as well. */
  dialled(): void {
    this.#on({ kind: 'accepted', ...ours })
  }

  close(): void {
    this.#on({ kind: 'closed' })
  }

  /** On the connection, or on the one that waits. @returns false when the stream came to its end */
  receive(bytes: Uint8Array, rival: boolean): boolean {
    const context =
      rival || !('agreed' in this.#state) ? firstContext(this.#settings) : this.#state.agreed.context
    for (let rest = bytes; rest.length > 0; ) {
      const framing = nextFrame(rest, context.messageLimit)
      if (framing.kind === 'incomplete') return true
      if (framing.kind === 'error') return this.#malformed(framing.error, rival)
      if (framing.rest.length >= rest.length) throw new Error('framing made no progress')
      rest = framing.rest
      const decoded = decodeMessage(framing.frame, context)
      if (!decoded.ok) return this.#malformed(decoded.error, rival)
      this.#understood(decoded.value, context, rival)
    }
    return true
  }

  #understood(message: Received, context: SessionContext, rival: boolean): void {
    this.#count(message.kind)
    if (encodeMessage(message, context).length < 19) throw new Error('a message that is not one')
    this.#on(rival ? { kind: 'rivalMessage', message } : { kind: 'message', message })
  }

  #malformed(error: BgpError, rival: boolean): false {
    if (error.code < 1 || error.code > 7) throw new Error(`an error of code ${error.code}`)
    this.#count(`${error.code}/${error.subcode}`)
    this.#on(rival ? { kind: 'rivalEnded', error } : { kind: 'malformed', error })
    return false
  }

  #on(event: Event): void {
    const { state, effects } = step(this.#state, event, this.#now, this.#settings)
    if (effects.length > mostEffects) throw new Error(`${effects.length} effects of ${event.kind}`)
    for (const effect of effects) {
      if (effect.kind !== 'send' && effect.kind !== 'sendRival') continue
      const bytes = encodeMessage(effect.message, firstContext(this.#settings))
      if (bytes.length < 19 || bytes.length > 4096) throw new Error(`an answer of ${bytes.length} bytes`)
    }
    if (nextDeadline(state) === undefined && state.kind !== 'established' && event.kind !== 'start')
      throw new Error(`${state.kind} after ${event.kind}, with nothing to come`)
    this.#state = state
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
}
