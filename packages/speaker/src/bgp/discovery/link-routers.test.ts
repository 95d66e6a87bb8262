/** Speakers and routers on one link, whose frames are there a millisecond later. */
import type { Interface, PacketSocketOptions } from '@landfall/net'
import { formatIP, type IP, parseIP } from '@landfall/netip'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LinkRouters } from './link-routers.ts'
import { decodeAdvertisement, encodeAdvertisement } from './router-discovery.ts'

const ip = (text: string): IP => parseIP(text) ?? expect.unreachable(text)
const macOf = (host: number) => Uint8Array.of(2, 0, 0, 0, 0, host)

/** All that are on the link hear each frame but their own, until there are too many. */
class Wire {
  readonly limit = 500
  #sent = 0
  readonly #ends = new Set<(frame: Uint8Array) => void>()
  readonly advertisedAt = new Map<string, number[]>()

  open(onFrame: (frame: Uint8Array) => void) {
    this.#ends.add(onFrame)
    return {
      send: (frame: Uint8Array) => {
        const heard = decodeAdvertisement(frame)
        if (heard !== undefined) {
          const from = formatIP(heard.address)
          this.advertisedAt.set(from, [...(this.advertisedAt.get(from) ?? []), performance.now()])
        }
        if (++this.#sent > this.limit) return true
        for (const end of this.#ends) if (end !== onFrame) setTimeout(() => end(frame), 1)
        return true
      },
      close: () => void this.#ends.delete(onFrame),
    }
  }

  /** Of a router, which says that it is one for so long. */
  advertise(host: number, lifetimeSeconds: number, flags = 0): void {
    const frame = encodeAdvertisement(macOf(host), ip(`fe80::${host}`), lifetimeSeconds, flags)
    for (const end of this.#ends) end(frame)
  }
}

function linkOf(host: number, index = 2): Interface {
  return {
    index,
    name: 'eth0',
    mac: macOf(host),
    ethernet: true,
    up: true,
    running: true,
    carrierUps: 1,
    broadcast: true,
    loopback: false,
    noArp: false,
    master: 0,
    addresses: [{ ip: ip(`fe80::${host}`), prefixLength: 64, tentative: false, duplicate: false }],
  }
}

class Speaker {
  readonly found: (string | undefined)[] = []
  readonly indexes: number[] = []
  readonly links: LinkRouters
  link: Interface

  constructor(wire: Wire, host: number) {
    this.link = linkOf(host)
    this.links = new LinkRouters({
      interfaces: () => [this.link],
      logger: silentLogger(),
      onRouter: () => void this.found.push(this.router),
      open: ({ onFrame, interfaceIndex }: PacketSocketOptions) => {
        this.indexes.push(interfaceIndex)
        return wire.open(onFrame)
      },
    })
    speakers.push(this)
    this.links.setInterfaces(['eth0'])
  }

  get router(): string | undefined {
    const router = this.links.of('eth0')
    return router && formatIP(router)
  }
}

const speakers: Speaker[] = []
const medium = 0
const low = 0x18
beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  for (const { links } of speakers.splice(0)) links.close(true)
  vi.useRealTimers()
})

test('many speakers on one link answer each other never in less than 3 s', () => {
  const wire = new Wire()
  expect([1, 2, 3].map((host) => new Speaker(wire, host).router)).toHaveLength(3)
  vi.advanceTimersByTime(4000)
  const from = performance.now()
  for (let seconds = 4; seconds < 64; seconds += 0.25) {
    vi.advanceTimersByTime(250)
    const most = Math.max(...[...wire.advertisedAt.values()].map(({ length }) => length))
    expect(most).toBeLessThan(30)
  }
  for (const times of wire.advertisedAt.values()) {
    const late = times.filter((at) => at > from)
    expect(late.length).toBeGreaterThan(4)
    expect(Math.min(...late.slice(1).map((at, i) => at - (late[i] ?? 0)))).toBeGreaterThanOrEqual(3000)
  }
})

test('the router counts, and never another speaker beside it', () => {
  const wire = new Wire()
  const [speaker, other] = [new Speaker(wire, 1), new Speaker(wire, 2)]
  vi.advanceTimersByTime(5000)
  wire.advertise(9, 1800)
  expect(speaker.router).toBe('fe80::9')
  expect(speaker.found.at(-1)).toBe('fe80::9')
  vi.advanceTimersByTime(60_000)
  expect(speaker.router).toBe('fe80::9')
  other.links.close(false)
  vi.advanceTimersByTime(60_000)
  expect(speaker.router).toBe('fe80::9')
})

test('of two routers the first one counts for as long as it is heard', () => {
  const wire = new Wire()
  const speaker = new Speaker(wire, 1)
  for (let i = 0; i < 10; i++) {
    wire.advertise(8, 0)
    wire.advertise(9, 0)
    wire.advertise(7, 1800)
    vi.advanceTimersByTime(10_000)
  }
  expect([speaker.router, speaker.found]).toEqual(['fe80::8', ['fe80::8']])
  for (let i = 0; i < 4; i++) {
    vi.advanceTimersByTime(10_000)
    wire.advertise(9, 0)
  }
  expect([speaker.router, speaker.found]).toEqual(['fe80::9', ['fe80::8', 'fe80::9']])
})

test('a router is forgotten when its lifetime is over, and when it says that it goes', () => {
  const wire = new Wire()
  const speaker = new Speaker(wire, 1)
  wire.advertise(9, 30)
  vi.advanceTimersByTime(29_000)
  expect(speaker.router).toBe('fe80::9')
  vi.advanceTimersByTime(2000)
  expect(speaker.router).toBeUndefined()
  wire.advertise(9, 1800)
  expect(speaker.router).toBe('fe80::9')
  wire.advertise(9, 0)
  expect(speaker.router).toBeUndefined()
})

test('a router of low preference counts where there is no other', () => {
  const wire = new Wire()
  const speaker = new Speaker(wire, 1)
  wire.advertise(8, 1800, low)
  expect(speaker.router).toBe('fe80::8')
  wire.advertise(9, 1800, medium)
  expect(speaker.router).toBe('fe80::9')
})

test('an interface that was made anew is opened anew, and spoken on at once', () => {
  const wire = new Wire()
  const speaker = new Speaker(wire, 1)
  vi.advanceTimersByTime(60_000)
  const before = wire.advertisedAt.get('fe80::1')?.length ?? 0
  speaker.link = linkOf(1, 7)
  speaker.links.interfacesChanged()
  expect(speaker.indexes).toEqual([2, 7])
  expect(wire.advertisedAt.get('fe80::1')).toHaveLength(before + 1)
  wire.advertise(9, 1800)
  expect(speaker.router).toBe('fe80::9')
})
