/** What comes of a turn of the core: messages to send, and addresses to answer for or no longer (pure). */
import type { ChangeReason } from '../codec/bodies.ts'
import type { AddressKey } from '../codec/ethernet.ts'
import type { Message } from '../codec/message.ts'

export interface Outgoing {
  readonly node: string
  /** Its addresses; the first that the socket can reach is meant. */
  readonly to: readonly string[]
  readonly message: Message
}

export interface Change {
  readonly address: AddressKey
  readonly reason: ChangeReason
  /** How long nobody had answered, in ms; 0: a planned move. */
  readonly silentMs: number
}

/** What came of the calls since the last one. */
export interface Outcome {
  readonly send: readonly Outgoing[]
  /** To be announced: taken, or for all to hear who won. */
  readonly taken: readonly Change[]
  readonly released: readonly AddressKey[]
  /** The right came back: all that is held is to be announced. */
  readonly resumed: boolean
}

/** While it is made. */
export interface GrowingOutcome extends Outcome {
  readonly send: Outgoing[]
  readonly taken: Change[]
  readonly released: AddressKey[]
  resumed: boolean
}

export function emptyOutcome(): GrowingOutcome {
  return { send: [], taken: [], released: [], resumed: false }
}
