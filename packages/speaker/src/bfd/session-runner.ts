/**
 * The rim of one BFD session: drives the state machine with its packets and one timer, sends from a port of its own
 * (RFC 5881 §4), and ends the guarded connection when the main thread leaves that undone.
 */
import { isDeepStrictEqual } from 'node:util'
import { releaseConnection, shutConnection, UdpSocket } from '@landfall/net'
import { equalIP } from '@landfall/netip'
import { type ControlPacket, encodeControl } from './codec/index.ts'
import { EchoPort } from './echo-port.ts'
import {
  type BfdSettings,
  type Effect,
  type Event,
  initial,
  nextDeadline,
  type State,
  step,
} from './fsm/index.ts'
import type { BfdCounts, BfdSession, FromBfd } from './messages.ts'
import type { Listener } from './receivers.ts'

/** What the main thread has to act on a session that went down. */
const guardMs = 20
const firstSourcePort = 49_152
const sourcePorts = 65_536 - firstSourcePort
const attempts = 20
const noCounts = { controlIn: 0, controlOut: 0, echoIn: 0, echoOut: 0 }

export class SessionRunner implements Listener {
  readonly discriminator: number
  readonly #post: (message: FromBfd) => void
  readonly #socket: UdpSocket
  readonly #echo: EchoPort | undefined
  #session: BfdSession
  #settings: BfdSettings
  #state: State
  #timer: NodeJS.Timeout | undefined
  #guard: number | undefined
  #guardTimer: NodeJS.Timeout | undefined
  #independent = false
  #counts: { -readonly [K in keyof BfdCounts]: number } = { ...noCounts }

  /** Throws SystemError when there is no socket to be had. */
  constructor(session: BfdSession, discriminator: number, post: (message: FromBfd) => void) {
    this.#session = session
    this.#post = post
    this.discriminator = discriminator
    this.#socket = openSource(session)
    const { local, remote, multihop } = session
    if (local.family === 4 && !multihop) {
      const onEcho = (): void => {
        this.#counts.echoIn++
        this.#dispatch({ kind: 'echo' })
      }
      this.#echo = new EchoPort({ local, remote, discriminator, onEcho })
    }
    this.#settings = this.#settingsOf(session)
    this.#state = initial(this.#settings, performance.now())
  }

  get id(): string {
    return this.#session.id
  }

  get local() {
    return this.#session.local
  }

  get remote() {
    return this.#session.remote
  }

  get device() {
    return this.#session.device
  }

  get port(): number {
    return this.#session.multihop ? 4784 : 3784
  }

  get minTtl(): number {
    return this.#session.multihop ? this.#session.profile.minimumTtl : 255
  }

  /** Packets of the other session would be this one's. */
  isBetween({ local, remote, device, multihop }: BfdSession): boolean {
    const { local: ownLocal, remote: ownRemote, ...own } = this.#session
    return (
      equalIP(ownLocal, local) &&
      equalIP(ownRemote, remote) &&
      own.device === device &&
      own.multihop === multihop
    )
  }

  start(): void {
    this.#report()
    this.#dispatch({ kind: 'tick' })
  }

  /** Whether this can go on with what the session is now; else it needs another runner. */
  reconfigure(session: BfdSession): boolean {
    const { profile } = session
    const { minimumTtl } = profile
    const before = { ...this.#session, profile: { ...profile, minimumTtl: this.#session.profile.minimumTtl } }
    if (!isDeepStrictEqual(before, { ...session, profile: { ...profile, minimumTtl } })) return false
    this.#session = session
    this.#settings = this.#settingsOf(session)
    this.#dispatch({ kind: 'configured' })
    return true
  }

  receive(packet: ControlPacket): void {
    this.#counts.controlIn++
    this.#independent = packet.controlPlaneIndependent
    this.#dispatch({ kind: 'packet', packet })
  }

  /** Of BFD that is said to outlive the peer's routing protocol nothing else is expected. */
  restarting(): void {
    if (!this.#independent) this.#dispatch({ kind: 'restarting' })
  }

  guard(fd: number): void {
    this.unguard()
    this.#guard = fd
  }

  unguard(): void {
    clearTimeout(this.#guardTimer)
    this.#guardTimer = undefined
    if (this.#guard !== undefined) releaseConnection(this.#guard)
    this.#guard = undefined
  }

  /** Since the last call. */
  takeCounts(): BfdCounts {
    const counts = this.#counts
    this.#counts = { ...noCounts }
    return counts
  }

  /** One that never started. */
  discard(): void {
    this.#socket.close()
  }

  /** The peer learns that this is no failure. */
  close(): void {
    this.#dispatch({ kind: 'disabled' })
    clearTimeout(this.#timer)
    this.unguard()
    this.#echo?.close()
    setImmediate(() => this.#socket.close())
  }

  #dispatch(event: Event): void {
    const { state, effects } = step(this.#state, event, performance.now(), this.#settings)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    this.#arm()
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        this.#counts.controlOut++
        this.#socket.send(encodeControl(effect.packet), this.#session.remote, this.port)
        return
      case 'sendEcho':
        if (this.#echo?.send() === true) this.#counts.echoOut++
        return
      default:
        this.#report()
        this.#watchGuard()
    }
  }

  #report(): void {
    const { kind: state, diagnostic, heldUntil } = this.#state
    this.#post({ kind: 'state', id: this.id, state, diagnostic, held: heldUntil !== undefined })
  }

  #watchGuard(): void {
    if (this.#state.heldUntil === undefined || this.#guard === undefined) return
    this.#guardTimer ??= setTimeout(() => {
      if (this.#guard === undefined) return
      shutConnection(this.#guard)
      this.unguard()
      this.#post({ kind: 'shut', id: this.#session.id })
    }, guardMs)
  }

  /** The tick comes after what arrived meanwhile: a stall of ours must not look like silence of the peer. */
  #arm(): void {
    clearTimeout(this.#timer)
    const deadline = nextDeadline(this.#state, this.#settings)
    if (deadline === undefined || this.#state.kind === 'adminDown') return
    const wait = Math.max(0, Math.ceil(deadline - performance.now()))
    this.#timer = setTimeout(
      () => setImmediate(() => setImmediate(() => this.#dispatch({ kind: 'tick' }))),
      wait,
    )
  }

  #settingsOf({ profile }: BfdSession): BfdSettings {
    const { transmitMs, receiveMs, multiplier, passive } = profile
    return {
      discriminator: this.discriminator,
      transmitMs,
      receiveMs,
      multiplier,
      passive,
      echoMs: this.#echo === undefined ? undefined : profile.echoMs,
      random: Math.random,
    }
  }
}

/** From a port of the dynamic range that nobody else has. Throws SystemError. */
function openSource({ local, device }: BfdSession): UdpSocket {
  for (let attempt = 1; ; attempt++) {
    const port = firstSourcePort + Math.floor(Math.random() * sourcePorts)
    try {
      return new UdpSocket({ local, port, device, ttl: 255 })
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!taken || attempt === attempts) throw error
    }
  }
}
