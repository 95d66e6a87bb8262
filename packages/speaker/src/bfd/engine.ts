/**
 * BFD (RFC 5880, 5881, 5883) on one event loop, the worker's: sessions as the main thread opens and closes them,
 * their sockets, and what is observed of them.
 */
import { randomInt } from 'node:crypto'
import { releaseConnection, SystemError } from '@landfall/net'
import { formatIP } from '@landfall/netip'
import { decodeControl } from './codec/index.ts'
import type { BfdCounts, BfdObstacle, BfdSession, FromBfd, ToBfd } from './messages.ts'
import { Receivers } from './receivers.ts'
import { SessionRunner } from './session-runner.ts'

const countsMs = 1000
const retryMs = 2000

export class BfdEngine {
  readonly #post: (message: FromBfd) => void
  readonly #runners = new Map<string, SessionRunner>()
  readonly #byDiscriminator = new Map<number, SessionRunner>()
  readonly #retries = new Map<string, NodeJS.Timeout>()
  /** Descriptors for sessions that could not begin yet. */
  readonly #guards = new Map<string, number>()
  readonly #receivers = new Receivers<SessionRunner>((datagram, source, runners) =>
    this.#receive(datagram, source, runners),
  )
  #refused: Record<string, number> = {}
  #counting: NodeJS.Timeout | undefined

  constructor(post: (message: FromBfd) => void) {
    this.#post = post
  }

  handle(message: ToBfd): void {
    switch (message.kind) {
      case 'open':
        return this.#open(message.session)
      case 'close':
        return this.#close(message.id)
      case 'guard':
        return this.#guard(message.id, message.fd)
      case 'unguard':
        return this.#unguard(message.id)
      case 'restarting':
        this.#runners.get(message.id)?.restarting()
    }
  }

  /** Every peer learns that this is no failure; resolves when that has left. */
  async stop(): Promise<void> {
    for (const id of [...this.#runners.keys(), ...this.#retries.keys()]) this.#close(id)
    clearInterval(this.#counting)
    await new Promise((resolve) => setImmediate(resolve))
  }

  #open(session: BfdSession): void {
    const { id } = session
    const held = this.#runners.get(id)
    if (held?.reconfigure(session) === true) {
      this.#receivers.add(held)
      return
    }
    this.#drop(id)
    this.#counting ??= setInterval(() => this.#reportCounts(), countsMs)
    const other = [...this.#runners.values()].find((one) => one.isBetween(session))
    if (other !== undefined)
      return this.#wait(
        session,
        'pathTaken',
        `the BFD session with ${formatIP(session.remote)} is ${other.id}'s`,
      )
    let runner: SessionRunner | undefined
    try {
      runner = new SessionRunner(session, this.#freeDiscriminator(), this.#post)
      this.#receivers.add(runner)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      runner?.discard()
      return this.#wait(session, obstacleOf(error), `${formatIP(session.local)}: ${error.message}`)
    }
    this.#runners.set(id, runner)
    this.#byDiscriminator.set(runner.discriminator, runner)
    const fd = this.#guards.get(id)
    if (fd !== undefined) runner.guard(fd)
    this.#guards.delete(id)
    runner.start()
  }

  #wait(session: BfdSession, obstacle: BfdObstacle, message: string): void {
    const { id } = session
    this.#post({ kind: 'obstacle', id, obstacle, message })
    this.#retries.set(
      id,
      setTimeout(() => this.#open(session), retryMs),
    )
  }

  #guard(id: string, fd: number): void {
    this.#unguard(id)
    const runner = this.#runners.get(id)
    if (runner !== undefined) runner.guard(fd)
    else if (this.#retries.has(id)) this.#guards.set(id, fd)
    else releaseConnection(fd)
  }

  #unguard(id: string): void {
    this.#runners.get(id)?.unguard()
    const fd = this.#guards.get(id)
    if (fd !== undefined) releaseConnection(fd)
    this.#guards.delete(id)
  }

  #close(id: string): void {
    this.#unguard(id)
    this.#drop(id)
  }

  #drop(id: string): void {
    clearTimeout(this.#retries.get(id))
    this.#retries.delete(id)
    const runner = this.#runners.get(id)
    if (runner === undefined) return
    this.#runners.delete(id)
    this.#byDiscriminator.delete(runner.discriminator)
    this.#receivers.remove(runner)
    runner.close()
  }

  /** RFC 5880 §6.8.6: by our discriminator, and by the addresses while the peer does not know it. */
  #receive(datagram: Uint8Array, source: string, runners: ReadonlySet<SessionRunner>): void {
    const packet = decodeControl(datagram)
    if (typeof packet === 'string') return this.#refuse(packet)
    const runner =
      packet.yourDiscriminator === 0
        ? [...runners].find(({ remote }) => formatIP(remote) === source)
        : this.#byDiscriminator.get(packet.yourDiscriminator)
    if (runner === undefined || !runners.has(runner) || formatIP(runner.remote) !== source)
      return this.#refuse('noSession')
    runner.receive(packet)
  }

  #refuse(reason: string): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1
  }

  #reportCounts(): void {
    const sessions: Record<string, BfdCounts> = {}
    for (const [id, runner] of this.#runners) sessions[id] = runner.takeCounts()
    this.#post({ kind: 'counts', sessions, refused: this.#refused })
    this.#refused = {}
  }

  #freeDiscriminator(): number {
    for (;;) {
      const discriminator = randomInt(1, 0x1_0000_0000)
      if (!this.#byDiscriminator.has(discriminator)) return discriminator
    }
  }
}

function obstacleOf({ code }: SystemError): BfdObstacle {
  if (code === 'EADDRINUSE') return 'portInUse'
  return code === 'EADDRNOTAVAIL' || code === 'ENODEV' ? 'addressMissing' : 'socketFailed'
}
