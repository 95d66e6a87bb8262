/**
 * The connections of one peer: its own, and for a moment a rival that the peer dialled (RFC 4271 §6.8). What happens
 * on either arrives with its slot; on a connection that was given up nothing happens any more.
 */
import type net from 'node:net'
import { type Interface, limitConnection, openTcpSocket } from '@landfall/net'
import type { IP } from '@landfall/netip'
import type { BgpPeerPlan } from '../plan/bgp-plan.ts'
import { Connection } from './connection.ts'
import { endsOf, ttlsOf } from './ends.ts'
import type { Event } from './fsm/index.ts'

export type Slot = 'own' | 'rival'

export interface ConnectionsOptions {
  readonly peer: BgpPeerPlan
  readonly interfaces: () => readonly Interface[]
  readonly neighbor: (name: string) => IP | undefined
  readonly messageLimit: (slot: Slot) => number
  readonly onEvent: (event: Event) => void
  readonly onConnected: (slot: Slot, connection: Connection) => void
  readonly onFrame: (slot: Slot, frame: Uint8Array) => void
  readonly onDrain: () => void
}

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #closing = new Set<Promise<void>>()
  #own: Connection | undefined
  #rival: Connection | undefined

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  of(slot: Slot): Connection | undefined {
    return slot === 'own' ? this.#own : this.#rival
  }

  dial(): void {
    const { peer, interfaces, neighbor, onEvent } = this.#options
    const ends = endsOf(peer, interfaces(), neighbor)
    if (ends.kind === 'missing') return onEvent({ kind: 'connectFailed', message: ends.message })
    const { port, password } = peer
    this.#own = this.#open(openTcpSocket({ ...ends, port, md5Password: password }))
  }

  /** One that comes while another waits is not even answered. */
  accept(socket: net.Socket): void {
    if (this.#rival !== undefined) return void socket.destroy()
    limitConnection(socket, ttlsOf(this.#options.peer))
    const rival = (this.#rival = this.#open(socket))
    this.#options.onConnected('rival', rival)
  }

  adopt(): void {
    this.#own = this.#rival
    this.#rival = undefined
  }

  /** Closes our own, once what was written is flushed. */
  disconnect(): void {
    this.#close(this.#own)
    this.#own = undefined
  }

  dropRival(): void {
    this.#close(this.#rival)
    this.#rival = undefined
  }

  /** Our own broke. */
  forget(): void {
    this.#own = undefined
  }

  /** Resolves when all that were given up are gone; within a second. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing)
  }

  #close(connection: Connection | undefined): void {
    if (connection === undefined) return
    const closing = connection.close().then(() => void this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  #open(socket: net.Socket): Connection {
    const { messageLimit, onEvent, onConnected, onFrame, onDrain } = this.#options
    const slot = (): Slot | undefined =>
      connection === this.#own ? 'own' : connection === this.#rival ? 'rival' : undefined
    const connection: Connection = new Connection({
      socket,
      messageLimit: () => messageLimit(slot() ?? 'rival'),
      onConnected: () => {
        if (slot() === 'own') onConnected('own', connection)
      },
      onFrame: (frame) => {
        const now = slot()
        if (now !== undefined) onFrame(now, frame)
      },
      onBroken: (error) => {
        const now = slot()
        if (now !== undefined)
          onEvent(now === 'own' ? { kind: 'malformed', error } : { kind: 'rivalEnded', error })
      },
      onClosed: (message) => {
        const now = slot()
        if (now === 'rival') {
          this.#rival = undefined
          onEvent({ kind: 'rivalEnded', error: undefined })
        } else if (now === 'own') onEvent({ kind: 'closed', ...(message === undefined ? {} : { message }) })
      },
      onDrain: () => {
        if (slot() === 'own') onDrain()
      },
    })
    return connection
  }
}
