/** A peer that restarts gracefully and takes its BFD with it (RFC 5882 §4.3.2): BGP, BFD and the guard of its connection. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Interface, UdpSocket } from '@landfall/net'
import { type IP, parseIP } from '@landfall/netip'
import { createLogger, Metrics } from '@landfall/telemetry'
import { afterEach, expect, test } from 'vitest'
import { decodeControl, encodeControl } from '../bfd/codec/index.ts'
import { BfdEngine, type FromBfd } from '../bfd/index.ts'
import { type BgpError, bgpError } from './codec/index.ts'
import { BgpSpeaker } from './index.ts'
import { BarePeer } from './testing/bare-peer.ts'
import { until } from './testing/until.ts'

const ip = (text: string): IP => parseIP(text) ?? expect.unreachable(text)
const [own, theirs] = ['127.0.0.81', '127.0.0.82']
const loopback: Interface = {
  index: 1,
  name: 'lo',
  mac: new Uint8Array(6),
  ethernet: false,
  up: true,
  running: true,
  carrierUps: 1,
  broadcast: false,
  loopback: true,
  noArp: true,
  master: 0,
  addresses: [{ ip: ip(own), prefixLength: 8, tentative: false, duplicate: false }],
}
const profile = {
  transmitMs: 50,
  receiveMs: 50,
  // A second: a pause of this thread is no end of its peer.
  multiplier: 20,
  echoMs: undefined,
  passive: false,
  minimumTtl: 254,
}
const next = { adminDown: 'down', down: 'init', init: 'up', up: 'up' } as const

/** Goes along with what it hears, from 'down' on. */
class BfdPeer {
  readonly #socket: UdpSocket
  readonly #discriminator: number
  #closed = false

  constructor(discriminator: number, independent: boolean) {
    this.#discriminator = discriminator
    this.#socket = new UdpSocket({
      local: ip(theirs),
      port: 3784,
      ttl: 255,
      onDatagram: (datagram) => {
        const packet = decodeControl(datagram)
        if (typeof packet === 'string') throw new Error(packet)
        if (packet.yourDiscriminator !== 0 && packet.yourDiscriminator !== this.#discriminator) return
        this.#say({
          ...packet,
          state: packet.yourDiscriminator === 0 ? 'down' : next[packet.state],
          poll: false,
          final: packet.poll,
          controlPlaneIndependent: independent,
          yourDiscriminator: packet.myDiscriminator,
        })
      },
    })
    this.#socket.setSenders([{ ip: ip(own), minTtl: 255 }])
  }

  /** As one that just began. */
  begin(): this {
    const times = { desiredTransmitMs: 50, requiredReceiveMs: 50, requiredEchoMs: 0, multiplier: 20 }
    const flags = { poll: false, final: false, controlPlaneIndependent: false, demand: false }
    this.#say({ state: 'down', diagnostic: 0, yourDiscriminator: 0, ...times, ...flags })
    return this
  }

  close(): void {
    if (!this.#closed) this.#socket.close()
    this.#closed = true
  }

  #say(packet: Omit<Parameters<typeof encodeControl>[0], 'myDiscriminator'>): void {
    const bytes = encodeControl({ ...packet, myDiscriminator: this.#discriminator })
    this.#socket.send(bytes, ip(own), 3784)
  }
}

const cleanups: (() => void | Promise<void>)[] = []
afterEach(() => cleanUp())

async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
}

/** A session that is up, with BFD beside it. */
async function begin(options: { independent?: boolean; restartSeconds?: number | undefined } = {}) {
  const { independent = false, restartSeconds } = { restartSeconds: 60, ...options }
  const restart = restartSeconds === undefined ? {} : { restartSeconds }
  const peer = await BarePeer.listen({ asn: 65000, address: theirs, ...restart })
  const said: FromBfd[] = []
  const lines: { readonly event?: string; readonly reason?: string }[] = []
  const engine = new BfdEngine((message) => {
    said.push(message)
    speaker.observedBfd(message)
  })
  const speaker: BgpSpeaker = new BgpSpeaker({
    logger: createLogger({ level: 'debug', write: (line) => void lines.push(JSON.parse(line)) }),
    metrics: new Metrics('test'),
    nodeName: 'n1',
    interfaces: () => [loopback],
    bfd: (message) => engine.handle(message),
  })
  let bfd = new BfdPeer(7, independent)
  cleanups.push(
    () => peer.close(),
    () => bfd.close(),
    () => engine.stop(),
    () => speaker.stop(),
  )
  const states = () => said.flatMap((one) => (one.kind === 'state' ? [one.state] : []))
  const logged = (event: string) => lines.filter((line) => line.event === event)
  speaker.apply({
    peers: [
      {
        name: 'peer',
        address: ip(theirs),
        port: peer.port,
        myASN: 65000,
        peerASN: 65000,
        holdTimeSeconds: 90,
        ebgpMultiHop: false,
        sourceAddress: { kind: 'address', ip: ip(own) },
        gracefulRestart: true,
        bfd: profile,
        routes: [],
      },
    ],
  })
  await until('BFD', () => states().at(-1) === 'up')
  return {
    peer,
    speaker,
    logged,
    states,
    kinds: () => said.map(({ kind }) => kind),
    /** BFD is there anew, and knows nothing. */
    again: () => {
      bfd = new BfdPeer(8, false).begin()
    },
    silence: () => bfd.close(),
  }
}

test.each([
  ['goes without a word', undefined],
  ['said that it goes', bgpError(6, 2)],
])(
  'a peer that %s is dialled on; the session that is back stays while BFD comes back',
  async (_how, goodbye) => {
    for (const missed of [false, true]) {
      const { peer, speaker, logged, states, kinds, again, silence } = await begin()
      silence()
      leave(peer, goodbye)
      if (missed) await until('the end of BFD', () => states().at(-1) === 'down')
      await until('the next session', () => logged('sessionUp').length === 2)
      again()
      await until('the end of BFD, and its return', () => states().slice(-3).join() === 'down,init,up')
      // The guard would have acted by now.
      await sleep(100)
      expect([peer.notifications(), peer.connections, kinds().includes('shut')]).toEqual([[], 2, false])
      silence()
      await until('the end', () => logged('sessionDown').length === 2)
      expect(logged('sessionDown').at(-1)?.reason).toMatch(/bfdDown/)
      expect(speaker.status()[0]?.held).toBe(true)
      await cleanUp()
    }
  },
)

test.each([
  ['whose BFD was to outlive it', { independent: true }, undefined],
  ['that keeps no routes', { restartSeconds: undefined }, undefined],
  ['that said that it goes for good', {}, bgpError(6, 9)],
])('a peer %s is waited for', async (_which, options, goodbye) => {
  const { peer, speaker, silence } = await begin(options)
  silence()
  leave(peer, goodbye)
  await until('the wait', () => speaker.status()[0]?.held === true)
  expect(speaker.status()[0]?.state).toBe('idle')
})

test('BFD that went on when the peer began anew counts again after a detection time', async () => {
  const { peer, logged, states, silence } = await begin()
  peer.drop()
  await until('the next session', () => logged('sessionUp').length === 2)
  await sleep(2500)
  expect(states().at(-1)).toBe('up')
  silence()
  await until('the end', () => logged('sessionDown').length === 2)
  expect(logged('sessionDown').at(-1)?.reason).toMatch(/bfdDown/)
})

function leave(peer: BarePeer, goodbye: BgpError | undefined): void {
  if (goodbye === undefined) peer.drop()
  else peer.send({ kind: 'notification', error: goodbye })
}
