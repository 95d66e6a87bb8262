import { setTimeout as sleep } from 'node:timers/promises'
import type { Interface } from '@landfall/net'
import { type IP, parseIP, prefixOf } from '@landfall/netip'
import { createLogger, Metrics } from '@landfall/telemetry'
import { afterEach, expect, test } from 'vitest'
import type { ToBfd } from '../bfd/index.ts'
import type { BgpPeerPlan, BgpRoute } from '../plan/bgp-plan.ts'
import { bgpError, shutdownText } from './codec/index.ts'
import { BgpSpeaker } from './index.ts'
import { BarePeer, type BarePeerOptions } from './testing/bare-peer.ts'
import { until } from './testing/until.ts'

const ip = (text: string): IP => parseIP(text) ?? expect.unreachable(text)
const route = (i: number, localPref?: number): BgpRoute => ({
  prefix: prefixOf({ family: 4, value: 0xc6120000n + BigInt(i) }, 32),
  communities: [],
  ...(localPref === undefined ? {} : { localPref }),
})
const routesOf = (count: number, localPref?: number) =>
  Array.from({ length: count }, (_, i) => route(i, localPref))

function linkWith(...addresses: readonly (readonly [string, boolean])[]): Interface {
  return {
    index: 2,
    name: 'eth0',
    mac: new Uint8Array(6),
    ethernet: true,
    up: true,
    running: true,
    carrierUps: 1,
    broadcast: true,
    loopback: false,
    noArp: false,
    master: 0,
    addresses: addresses.map(([text, tentative]) => ({
      ip: ip(text),
      prefixLength: 64,
      tentative,
      duplicate: false,
    })),
  }
}

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function listen(options: Partial<BarePeerOptions> = {}): Promise<BarePeer> {
  const peer = await BarePeer.listen({ asn: 65000, ...options })
  cleanups.push(() => peer.close())
  return peer
}

function makeSpeaker(
  interfaces: () => readonly Interface[] = () => [],
  bfd: (message: ToBfd) => void = () => {},
) {
  const lines: Record<string, unknown>[] = []
  const metrics = new Metrics('test')
  const speaker = new BgpSpeaker({
    logger: createLogger({
      level: 'debug',
      write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
    }),
    metrics,
    nodeName: 'n1',
    interfaces,
    bfd,
    retireMs: 200,
  })
  cleanups.push(() => speaker.stop())
  const logged = (event: string) => lines.filter((line) => line['event'] === event)
  return { speaker, metrics, logged }
}

const to = (peer: BarePeer, more: Partial<BgpPeerPlan> = {}): BgpPeerPlan => ({
  name: 'peer',
  address: ip('127.0.0.1'),
  port: peer.port,
  myASN: 65000,
  peerASN: 65000,
  holdTimeSeconds: 90,
  ebgpMultiHop: false,
  routes: [],
  ...more,
})

test('a session comes up, carries the routes, follows changes and is reported', async () => {
  const peer = await listen()
  const { speaker, metrics, logged } = makeSpeaker()
  speaker.apply({ peers: [to(peer, { routes: routesOf(3) })] })
  await until('three routes', () => peer.routes.size === 3)
  expect(logged('peerAdded')).toHaveLength(1)
  expect(logged('sessionUp')[0]).toMatchObject({
    localASN: 65000,
    msg: 'BGP session established',
    peer: `127.0.0.1:${peer.port}`,
    peerASN: 65000,
  })
  expect(logged('sessionUp')).toHaveLength(1)
  speaker.apply({ peers: [to(peer, { routes: [route(1), route(7)] })] })
  await until('the change', () => [...peer.routes].join() === '198.18.0.1/32,198.18.0.7/32')
  expect(peer.connections).toBe(1)
  expect(logged('updatedAdvertisements').at(-1)).toMatchObject({ announced: 1, withdrawn: 2, total: 2 })
  const text = await metrics.exposition()
  const label = `{peer="127.0.0.1:${peer.port}",vrf="default"}`
  expect(text).toContain(`metallb_bgp_session_up${label} 1`)
  expect(text).toContain(`metallb_bgp_updates_total${label} 3`)
  expect(text).toContain(`metallb_bgp_announced_prefixes_total${label} 2`)
  expect(text).toContain(`metallb_bgp_pending_prefixes_total${label} 2`)
  expect(speaker.status()).toMatchObject([{ name: 'peer', state: 'established', announced: 2, unsent: [] }])
})

test('the AS number of a peer that may have any is told once it is known', async () => {
  const peer = await listen()
  const { speaker, logged } = makeSpeaker()
  speaker.apply({ peers: [to(peer, { myASN: 65001, peerASN: 'external' })] })
  await until('the session', () => logged('sessionUp').length === 1)
  expect(logged('peerAdded')[0]).not.toHaveProperty('peerASN')
  expect(logged('sessionUp')[0]).toMatchObject({ localASN: 65001, peerASN: 65000 })
})

test('what a node that is taken out gives up says so before it is withdrawn', async () => {
  const peer = await listen()
  const { speaker } = makeSpeaker()
  speaker.apply({ peers: [to(peer, { routes: routesOf(3) })] })
  await until('three routes', () => peer.routes.size === 3)
  speaker.apply({ peers: [to(peer, { routes: [route(1)] })], retiring: true })
  await until('one route', () => peer.routes.size === 1)
  const said = peer.received
    .flatMap((message) => (message.kind === 'update' ? [message] : []))
    .map(({ attributes, announced, withdrawn }) => {
      const preference = attributes.find((one) => one.kind === 'localPref')?.value
      const communities = attributes.find((one) => one.kind === 'communities')?.values
      return { preference, communities, announced: announced.length, withdrawn: withdrawn.length }
    })
  expect(said).toEqual([
    { preference: 100, communities: undefined, announced: 3, withdrawn: 0 },
    { preference: 0, communities: [0xffff0000], announced: 2, withdrawn: 0 },
    { preference: undefined, communities: undefined, announced: 0, withdrawn: 2 },
  ])
  expect(speaker.status()).toMatchObject([{ announced: 1, pending: 0 }])
})

test('a peer that changed restarts its session alone; a removed one is told and forgotten', async () => {
  const [kept, changed, removed] = [await listen(), await listen(), await listen()]
  const { speaker, metrics, logged } = makeSpeaker()
  const keep = to(kept, { name: 'kept' })
  speaker.apply({ peers: [keep, to(changed, { name: 'changed' }), to(removed, { name: 'removed' })] })
  await until('three sessions', () => logged('sessionUp').length === 3)
  speaker.apply({ peers: [keep, to(changed, { name: 'changed', holdTimeSeconds: 30 })] })
  await until('the changed one again', () => changed.connections === 2 && logged('sessionUp').length === 4)
  await until('the goodbye', () => removed.notifications().length === 1)
  expect(changed.notifications()).toEqual(['6/6'])
  expect(removed.notifications()).toEqual(['6/3'])
  expect(kept).toMatchObject({ connections: 1 })
  expect(kept.notifications()).toEqual([])
  expect(await metrics.exposition()).not.toContain(`127.0.0.1:${removed.port}`)
  expect(logged('peerRemoved')).toHaveLength(1)
})

test('a stop tells each peer, and does not wait for one that does not read', async () => {
  const [reading, stuck] = [await listen(), await listen()]
  const { speaker, logged } = makeSpeaker()
  const many = to(stuck, { name: 'stuck', routes: routesOf(20_000) })
  speaker.apply({ peers: [to(reading, { name: 'reading' }), many] })
  await until('both sessions', () => logged('sessionUp').length === 2)
  stuck.pause()
  await speaker.stop()
  await expect.poll(() => reading.notifications()).toEqual(['6/2'])
})

test('to a peer that does not read, no more is written than fits; when it reads again it gets the latest state', async () => {
  const peer = await listen()
  const { speaker, logged } = makeSpeaker()
  speaker.apply({ peers: [to(peer)] })
  await until('the session', () => logged('sessionUp').length === 1)
  peer.pause()
  // Routes that share no attributes, 300 bytes each.
  const bulky = (preference: number) =>
    Array.from({ length: 2000 }, (_, i): BgpRoute => {
      const communities = Array.from(
        { length: 60 },
        (_, low) => ({ kind: 'standard', high: i, low }) as const,
      )
      return { ...route(i, preference), communities }
    })
  const waiting = () => speaker.status()[0]?.pending ?? 0
  let round = 0
  while (waiting() === 0 && round < 40) {
    speaker.apply({ peers: [to(peer, { routes: bulky(++round) })] })
    await sleep(5)
  }
  expect(waiting()).toBeGreaterThan(0)
  speaker.apply({ peers: [to(peer, { routes: routesOf(5, 77) })] })
  peer.resume()
  await until('five routes', () => peer.routes.size === 5 && waiting() === 0)
  const preferences = new Map<bigint, number>()
  for (const message of peer.received) {
    if (message.kind !== 'update') continue
    const preference = message.attributes.find((one) => one.kind === 'localPref')
    for (const { ip } of message.announced) preferences.set(ip.value, preference?.value ?? 0)
  }
  expect(routesOf(5).map(({ prefix }) => preferences.get(prefix.ip.value))).toEqual([77, 77, 77, 77, 77])
})

test('a peer that refuses each OPEN is not hammered, and its reason is logged once', async () => {
  const peer = await listen({ refusal: { kind: 'notification', error: bgpError(2, 2) } })
  const { speaker, logged } = makeSpeaker()
  speaker.apply({ peers: [to(peer)] })
  await sleep(1500)
  expect(peer.connections).toBeLessThanOrEqual(5)
  await until('the third', () => peer.connections >= 3)
  expect(logged('connectFailed').filter(({ level }) => level === 'warn')).toMatchObject([
    { reason: 'peer: open/badPeerAS' },
  ])
  expect(speaker.status()[0]?.lastEnding).toEqual({
    reason: 'notificationReceived',
    message: 'the peer said open/badPeerAS',
  })
})

test('bytes that are no BGP are answered with the error, and the session comes back', async () => {
  const peer = await listen()
  const { speaker, logged } = makeSpeaker()
  speaker.apply({ peers: [to(peer)] })
  await until('the session', () => logged('sessionUp').length === 1)
  peer.sendBytes(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await until('the answer', () => peer.notifications().length === 1)
  expect(peer.notifications()).toEqual(['1/1'])
  await until('the session again', () => logged('sessionUp').length === 2)
  expect(logged('sessionDown')).toMatchObject([{ reason: 'messageHeader/notSynchronized' }])
})

test('a peer may ask for everything again', async () => {
  const peer = await listen()
  const { speaker } = makeSpeaker()
  speaker.apply({ peers: [to(peer, { routes: routesOf(2) })] })
  await until('the routes', () => peer.routes.size === 2)
  peer.routes.clear()
  peer.send({ kind: 'routeRefresh', family: { afi: 1, safi: 1 }, subtype: 0 })
  await until('the routes again', () => peer.routes.size === 2)
  expect(peer.connections).toBe(1)
})

test('a route that the session cannot carry is named', async () => {
  const peer = await listen()
  const { speaker, metrics, logged } = makeSpeaker()
  const v6 = { prefix: prefixOf(ip('2001:db8::1'), 128), communities: [] }
  speaker.apply({ peers: [to(peer, { routes: [route(1), v6] })] })
  await until('the other route', () => peer.routes.size === 1)
  expect(logged('routesNotSent')).toMatchObject([{ count: 1, routes: ['2001:db8::1/128 noNextHop'] }])
  expect(await metrics.exposition()).toContain(
    `landfall_bgp_unsent_prefixes{peer="127.0.0.1:${peer.port}",vrf="default"} 1`,
  )
  expect(speaker.status()[0]?.unsent).toEqual([{ prefix: v6.prefix, reason: 'noNextHop' }])
})

test('a route waits for an address to be usable, and goes with it', async () => {
  const peer = await listen()
  let tentative = true
  const { speaker, logged } = makeSpeaker(() => [linkWith(['127.0.0.1', false], ['2001:db8::9', tentative])])
  const v6 = { prefix: prefixOf(ip('2001:db8::1'), 128), communities: [] }
  const of = (kind: 'mpReach' | 'mpUnreach') =>
    peer.received
      .flatMap((message) => (message.kind === 'update' ? message.attributes : []))
      .filter((attribute) => attribute.kind === kind && attribute.prefixes.length > 0)
  speaker.apply({ peers: [to(peer, { routes: [v6] })] })
  await until('the reason', () => logged('routesNotSent').length === 1)
  speaker.interfacesChanged()
  tentative = false
  speaker.interfacesChanged()
  await until('the route', () => of('mpReach').length === 1)
  expect(of('mpReach')).toMatchObject([{ prefixes: [v6.prefix], nextHop: { address: ip('2001:db8::9') } }])
  tentative = true
  speaker.interfacesChanged()
  await until('its withdrawal', () => of('mpUnreach').length === 1)
  expect([peer.connections, of('mpReach').length]).toEqual([1, 1])
})

test('of BFD that a peer has no more nothing is said', async () => {
  const peer = await listen()
  const { speaker, metrics, logged } = makeSpeaker()
  const times = { transmitMs: 300, receiveMs: 300, multiplier: 3 }
  const bfd = { ...times, echoMs: undefined, passive: false, minimumTtl: 254 }
  const said = { kind: 'state', id: 'peer', diagnostic: 0, held: false } as const
  speaker.apply({ peers: [to(peer, { bfd })] })
  await until('the session', () => logged('sessionUp').length === 1)
  speaker.observedBfd({ ...said, state: 'up' })
  expect(speaker.status()[0]?.bfd).toMatchObject({ state: 'up' })
  expect(await metrics.exposition()).toMatch(/metallb_bfd_session_up{[^}]*} 1/)
  speaker.apply({ peers: [to(peer)] })
  // Its last word comes later, from the worker.
  speaker.observedBfd({ ...said, state: 'adminDown' })
  expect(speaker.status()[0]?.bfd).toBeUndefined()
  expect(await metrics.exposition()).not.toMatch(/metallb_bfd_session_up{/)
  expect(peer.connections).toBe(1)
})

test('BFD ends after its peer has read why the session does', async () => {
  const peer = await listen()
  const readBefore: string[][] = []
  const { speaker, logged } = makeSpeaker(undefined, ({ kind }) => {
    if (kind === 'close') readBefore.push(peer.received.map((message) => message.kind))
  })
  const times = { transmitMs: 300, receiveMs: 300, multiplier: 3 }
  const bfd = { ...times, echoMs: undefined, passive: false, minimumTtl: 254 }
  speaker.apply({ peers: [to(peer, { bfd })] })
  await until('the session', () => logged('sessionUp').length === 1)
  await speaker.stop()
  expect(readBefore).toEqual([expect.arrayContaining(['notification'])])
})

test('a session that ends is down in the metrics, and carries nothing', async () => {
  const peer = await listen()
  const { speaker, metrics, logged } = makeSpeaker()
  speaker.apply({ peers: [to(peer, { routes: routesOf(2) })] })
  await until('the routes', () => peer.routes.size === 2)
  const label = `{peer="127.0.0.1:${peer.port}",vrf="default"}`
  expect(await metrics.exposition()).toContain(`metallb_bgp_session_up${label} 1`)
  await peer.close()
  await until('its end', () => logged('sessionDown').length === 1)
  const text = await metrics.exposition()
  expect(text).toContain(`metallb_bgp_session_up${label} 0`)
  expect(text).toContain(`metallb_bgp_announced_prefixes_total${label} 0`)
  expect(text).toContain(`metallb_bgp_pending_prefixes_total${label} 2`)
})

test('of two sessions with one router the metrics tell the worse, and count both', async () => {
  const peer = await listen()
  const { speaker, metrics, logged } = makeSpeaker()
  const lost = to(peer, { name: 'lost', sourceAddress: { kind: 'address', ip: ip('192.0.2.7') } })
  const kept = to(peer, { routes: routesOf(2) })
  const series = async (name: string) =>
    new RegExp(`^${name}{peer="127.0.0.1:${peer.port}".*} (.*)$`, 'm').exec(await metrics.exposition())?.[1]
  speaker.apply({ peers: [{ ...lost, routes: routesOf(3) }, kept] })
  await until('the routes', () => peer.routes.size === 2)
  await until('an attempt', () => logged('connectFailed').length > 1)
  expect(await series('metallb_bgp_session_up')).toBe('0')
  expect(await series('metallb_bgp_announced_prefixes_total')).toBe('2')
  expect(await series('metallb_bgp_pending_prefixes_total')).toBe('5')
  speaker.apply({ peers: [kept] })
  expect(await series('metallb_bgp_session_up')).toBe('1')
  expect(await series('metallb_bgp_pending_prefixes_total')).toBe('2')
  speaker.apply({ peers: [] })
  expect(await series('metallb_bgp_session_up')).toBeUndefined()
})

test("the reason inside a peer's hard reset is told", async () => {
  const peer = await listen()
  const { speaker, logged } = makeSpeaker()
  speaker.apply({ peers: [to(peer)] })
  await until('the session', () => logged('sessionUp').length === 1)
  const inner = shutdownText('maintenance')
  peer.send({ kind: 'notification', error: bgpError(6, 9, Uint8Array.of(6, 2, ...inner)) })
  await until('its end', () => logged('sessionDown').length === 1)
  expect(logged('peerNotification')).toMatchObject([{ code: 6, subcode: 9, text: 'maintenance' }])
  expect(speaker.status()[0]?.lastEnding?.message).toBe(
    'the peer said cease/hardReset: cease/administrativeShutdown (maintenance)',
  )
})

test('a peer that takes the connection and says nothing delays no other', async () => {
  const [mute, other] = [await listen({ mute: true }), await listen()]
  const { speaker } = makeSpeaker()
  speaker.apply({ peers: [to(mute, { name: 'mute' }), to(other, { name: 'other', routes: routesOf(1) })] })
  await until('the other', () => other.routes.size === 1)
  expect(speaker.status().map(({ state }) => state)).toEqual(['openSent', 'established'])
})
