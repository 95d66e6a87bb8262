/**
 * A router on loopback that takes what comes, answers as a router does, and writes down what it sees on the wire, a
 * line for each thing: who dialled, what an OPEN says, each attribute of each route, each BFD packet.
 */
import { once } from 'node:events'
import type net from 'node:net'
import { listenTcp, type TcpListener, UdpSocket } from '@landfall/net'
import { formatIP, formatPrefix, type IP, type Prefix } from '@landfall/netip'
import { type ControlPacket, decodeControl, encodeControl } from '../../bfd/codec/index.ts'
import {
  type Attribute,
  asFieldOf,
  asnOfOpen,
  bgpError,
  type Capability,
  decodeMessage,
  encodeMessage,
  familyOf,
  type Message,
  maxMessageLength,
  nameOfError,
  nextFrame,
  type OpenMessage,
  type Received,
  type SessionContext,
  unicastOf,
} from '../codec/index.ts'

export interface RouterOptions {
  readonly asn: number
  readonly address: IP
  /** Who may dial with the password, if there is one. */
  readonly client: IP
  readonly password?: string | undefined
  /** Of what it hears over TCP. */
  readonly minTtl?: number | undefined
  /** Answers each OPEN with a NOTIFICATION. */
  readonly refuses?: boolean | undefined
  /** Of its BFD packets. */
  readonly bfdTtl?: number | undefined
}

const anywhere: IP = { family: 4, value: 0n }
const bfdPorts = [3784, 4784]
const nextState = { adminDown: 'down', down: 'init', init: 'up', up: 'up' } as const

export class WatchingRouter {
  readonly seen = new Set<string>()
  dialled = 0
  readonly #options: RouterOptions
  readonly #listeners: readonly TcpListener[]
  readonly #bfd: readonly UdpSocket[]
  readonly #sockets = new Set<net.Socket>()
  readonly #since = performance.now()

  private constructor(options: RouterOptions) {
    this.#options = options
    const { address, client, minTtl, password, bfdTtl = 255 } = options
    this.#listeners = [1, 2].map((which) => {
      const listener = listenTcp({ local: anywhere, port: 0, ttl: 255, minTtl })
      listener.server.on('connection', (socket: net.Socket) => this.#accept(socket, which))
      if (password !== undefined) listener.setPassword(client, password)
      return listener
    })
    this.#bfd = bfdPorts.map((port) => {
      const onDatagram = (datagram: Uint8Array): void => this.#answerBfd(socket, datagram, port)
      const socket = new UdpSocket({ local: address, port, ttl: bfdTtl, onDatagram })
      socket.setSenders([{ ip: client, minTtl: 255 }])
      return socket
    })
  }

  static async start(options: RouterOptions): Promise<WatchingRouter> {
    const router = new WatchingRouter(options)
    for (const { server } of router.#listeners) if (!server.listening) await once(server, 'listening')
    return router
  }

  /** It listens on two. */
  port(which: 1 | 2): number {
    const address = this.#listeners[which - 1]?.server.address()
    if (address === null || typeof address !== 'object') throw new Error('not listening')
    return address.port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    for (const socket of this.#bfd) socket.close()
    await Promise.all(this.#listeners.map((listener) => listener.close()))
  }

  #accept(socket: net.Socket, which: number): void {
    this.dialled++
    this.seen.add(`dialled ${socket.localAddress} port ${which} from ${socket.remoteAddress}`)
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    let pending = Buffer.alloc(0)
    let context: SessionContext = { fourOctetAS: true, internal: true, messageLimit: maxMessageLength }
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      for (let next = nextFrame(pending, context.messageLimit); next.kind === 'frame'; ) {
        const decoded = decodeMessage(next.frame, context)
        if (!decoded.ok) throw new Error(`unreadable: ${nameOfError(decoded.error)}`)
        if (decoded.value.kind === 'open')
          context = { ...context, fourOctetAS: hasCapability(decoded.value, 'fourOctetAS') }
        this.#onMessage(decoded.value, (message) => socket.write(encodeMessage(message, context)))
        pending = pending.subarray(next.frame.length)
        next = nextFrame(pending, context.messageLimit)
      }
    })
  }

  #onMessage(message: Received, send: (message: Message) => void): void {
    for (const line of linesOf(message, (performance.now() - this.#since) / 1000)) this.seen.add(line)
    if (message.kind !== 'open') return
    if (this.#options.refuses === true) return send({ kind: 'notification', error: bgpError(6, 5) })
    send(openOf(this.#options.asn))
    send({ kind: 'keepalive' })
  }

  #answerBfd(socket: UdpSocket, datagram: Uint8Array, port: number): void {
    const packet = decodeControl(datagram)
    if (typeof packet === 'string') throw new Error(packet)
    for (const line of linesOfBfd(packet, port)) this.seen.add(line)
    const answer: ControlPacket = {
      ...packet,
      state: nextState[packet.state],
      poll: false,
      final: packet.poll,
      myDiscriminator: 7,
      yourDiscriminator: packet.myDiscriminator,
      requiredEchoMs: 0,
    }
    socket.send(encodeControl(answer), this.#options.client, port)
  }
}

function openOf(asn: number): OpenMessage {
  return {
    kind: 'open',
    asField: asFieldOf(asn),
    holdSeconds: 240,
    routerID: 0xc0000263,
    capabilities: [
      { kind: 'multiprotocol', family: unicastOf(4) },
      { kind: 'multiprotocol', family: unicastOf(6) },
      { kind: 'fourOctetAS', asn },
    ],
  }
}

function hasCapability({ capabilities }: OpenMessage, wanted: Capability['kind']): boolean {
  return capabilities.some(({ kind }) => kind === wanted)
}

function linesOf(message: Received, seconds: number): readonly string[] {
  switch (message.kind) {
    case 'open':
      return [
        `OPEN: AS ${asnOfOpen(message)}`,
        `OPEN: hold time ${message.holdSeconds} s`,
        `OPEN: identifier ${formatIP({ family: 4, value: BigInt(message.routerID) })}`,
        ...message.capabilities.map((capability) => `OPEN: ${textOfCapability(capability)}`),
      ]
    case 'update': {
      const reached = message.attributes.flatMap((one) => (one.kind === 'mpReach' ? one.prefixes : []))
      return [...message.announced, ...reached].flatMap((prefix) => linesOfRoute(prefix, message.attributes))
    }
    case 'notification':
      return [`NOTIFICATION ${nameOfError(message.error)}`]
    case 'keepalive':
      return [`KEEPALIVE after ${Math.floor(seconds)} s`]
    default:
      return []
  }
}

function textOfCapability(capability: Capability): string {
  switch (capability.kind) {
    case 'multiprotocol':
      return `takes IPv${familyOf(capability.family)}`
    case 'gracefulRestart':
      return `restarts within ${capability.seconds} s`
    default:
      return capability.kind
  }
}

function linesOfRoute(prefix: Prefix, attributes: readonly Attribute[]): readonly string[] {
  return attributes
    .flatMap((one): readonly string[] => {
      switch (one.kind) {
        case 'asPath':
          return [`AS path ${one.segments.flatMap(({ asns }) => asns).join(' ')}`]
        case 'localPref':
          return [`LOCAL_PREF ${one.value}`]
        case 'communities':
          return one.values.map((value) => `community ${value >>> 16}:${value & 0xffff}`)
        case 'largeCommunities':
          return one.values.map(({ global, local1, local2 }) => `community ${global}:${local1}:${local2}`)
        default:
          return []
      }
    })
    .map((text) => `${formatPrefix(prefix)}: ${text}`)
}

function linesOfBfd(packet: ControlPacket, port: number): readonly string[] {
  return [
    `BFD to port ${port}`,
    `BFD is ${packet.state}`,
    `BFD sends each ${packet.desiredTransmitMs} ms`,
    `BFD reads each ${packet.requiredReceiveMs} ms`,
    `BFD gives up after ${packet.multiplier}`,
    ...(packet.requiredEchoMs > 0 ? [`BFD echoes each ${packet.requiredEchoMs} ms`] : []),
  ]
}
