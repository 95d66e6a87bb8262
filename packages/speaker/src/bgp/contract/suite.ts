/** What every router must see of us, whoever wrote it, over IPv4 and IPv6. The routers' own ways are in `contract-peer.ts`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith } from '../testing/describe-with.ts'
import { PeerLab, type SpeakerNode } from '../testing/peer-lab.ts'
import { type PeerText, peerText, routeText } from '../testing/plan-text.ts'
import { until } from '../testing/until.ts'
import { type ContractPeer, neighbors } from './contract-peer.ts'

const peer = (sourceAddress: string, more: Partial<PeerText> = {}): PeerText => {
  const address = sourceAddress.includes(':') ? 'fd77::1' : '10.77.0.1'
  return peerText({ name: 'router', address, sourceAddress, ...more })
}
const communities = [
  { kind: 'standard', high: 65000, low: 7 },
  { kind: 'large', global: 4200000000, local1: 1, local2: 2 },
] as const

export function contractSuite(router: ContractPeer): void {
  describeWith('contract with', router.name, () => {
    let lab: PeerLab
    const start = (node: number | 'far', ...peers: readonly PeerText[]): SpeakerNode => {
      const speaker = lab.startSpeaker(node, 179)
      speaker.apply({ peers })
      return speaker
    }
    const up = (address: string) => until(`the session of ${address}`, () => router.isUp(address))
    const seen = (prefix: string, from: string) =>
      until(`${prefix} from ${from}`, () => router.route(prefix, from) !== undefined)
    const gone = (prefix: string, from: string, limitMs?: number) =>
      until(`${prefix} gone`, () => router.route(prefix, from) === undefined, limitMs)
    const ups = (speaker: SpeakerNode) => speaker.events('sessionUp').length

    beforeAll(async () => {
      lab = new PeerLab(2)
      lab.addFar()
      await router.start(lab)
    }, 30_000)
    afterEach(() => lab.tidy())
    afterAll(() => lab.close())

    describe.each([4, 6] as const)('over IPv%i:', (family) => {
      const n = neighbors[family]

      test('routes of both families with all they carry', async () => {
        // What it said of a try before this one it may say yet.
        const untold = !router.ofStop.test(router.lastError(n.plain))
        const rich = routeText('10.99.0.1/32', { communities, med: 7, prepend: 1 })
        const speaker = start(1, peer(n.plain, { routes: [rich, routeText('2001:db8:99::1/128')] }))
        await seen('10.99.0.1/32', n.plain)
        await seen('2001:db8:99::1/128', n.plain)
        expect(router.route('10.99.0.1/32', n.plain)).toEqual({
          asPath: '65000 65000',
          nextHop: '10.77.0.11',
          communities: ['65000:7'],
          large: ['4200000000:1:2'],
          localPref: router.name === 'bird' ? 100 : undefined,
          med: 7,
          bandwidth: undefined,
        })
        expect(router.route('2001:db8:99::1/128', n.plain)).toMatchObject({
          nextHop: 'fd77::11',
          asPath: '65000',
        })
        const since = router.upSince(n.plain)
        expect(since).not.toBe('')

        const many = Array.from({ length: 1000 }, (_, i) => routeText(`10.98.${i >> 8}.${i & 255}/32`))
        speaker.apply({ peers: [peer(n.plain, { routes: [...many, routeText('10.99.0.0/24')] })] })
        await seen('10.98.3.231/32', n.plain)
        await seen('10.99.0.0/24', n.plain)
        await gone('10.99.0.1/32', n.plain)
        speaker.apply({ peers: [peer(n.plain, { routes: [routeText('10.99.0.0/24', { communities })] })] })
        await gone('10.98.3.231/32', n.plain)
        await until('the communities', () => router.route('10.99.0.0/24', n.plain)?.large.length === 1)
        expect(router.upSince(n.plain)).toBe(since)
        await until('the session in the log', () => ups(speaker) > 0)
        expect(ups(speaker)).toBe(1)

        expect(untold && router.ofStop.test(router.lastError(n.plain))).toBe(false)
        await speaker.stop()
        await gone('10.99.0.0/24', n.plain)
        expect(router.lastError(n.plain)).toMatch(router.ofStop)
      })

      test('a password, wrong, right and replaced', async () => {
        const speaker = start(1, peer(n.password, { password: 'wrong', connectSeconds: 1 }))
        await until('an attempt', () => speaker.events('peerAdded').length > 0)
        await sleep(1000)
        expect(ups(speaker)).toBe(0)
        speaker.apply({ peers: [peer(n.password, { password: 'secret' })] })
        await up(n.password)
        await until('the session in the log', () => ups(speaker) === 1)
        speaker.apply({ peers: [peer(n.password, { password: 'other' })] })
        await until('no session', () => !router.isUp(n.password))
        speaker.apply({ peers: [peer(n.password, { password: 'secret' })] })
        await up(n.password)
        await until('the log', () => speaker.events('peerChanged').length === 3)
        await until('both sessions in the log', () => ups(speaker) === 2)
        expect(router.isUp(n.password)).toBe(true)
      })

      test('inside the AS: LOCAL_PREF and an empty path', async () => {
        const routes = [routeText('10.99.1.1/32'), routeText('10.99.1.2/32', { localPref: 250 })]
        start(1, peer(n.internal, { myASN: 65530, routes }))
        await seen('10.99.1.2/32', n.internal)
        expect(router.route('10.99.1.2/32', n.internal)).toMatchObject({ localPref: 250, asPath: '' })
        expect(router.route('10.99.1.1/32', n.internal)).toMatchObject({ localPref: 100 })
      })

      test('the weight of a path, outside the AS and inside', async () => {
        const weighted = [routeText('10.99.7.1/32', { bandwidth: 125e6 })]
        const inside = peer(n.internal, { name: 'inside', myASN: 65530, routes: weighted })
        start(1, peer(n.plain, { routes: weighted }), inside)
        await seen('10.99.7.1/32', n.plain)
        await seen('10.99.7.1/32', n.internal)
        expect(router.route('10.99.7.1/32', n.plain)?.bandwidth).toBe(125e6)
        expect(router.route('10.99.7.1/32', n.internal)?.bandwidth).toBe(125e6)
      })

      test('a node that is taken out says so before its routes go, and the session stays', async () => {
        const speaker = start(
          1,
          peer(n.plain, { routes: [routeText('10.99.8.1/32'), routeText('10.99.8.2/32')] }),
        )
        await seen('10.99.8.2/32', n.plain)
        speaker.apply({ peers: [peer(n.plain, { routes: [routeText('10.99.8.2/32')] })], retiring: true })
        const communities = () => router.route('10.99.8.1/32', n.plain)?.communities.join()
        await until('the community', () => /^(65535:0|graceful-shutdown)$/.test(communities() ?? ''))
        await gone('10.99.8.1/32', n.plain)
        expect(router.route('10.99.8.2/32', n.plain)?.communities).toEqual([])
        await until('the session in the log', () => ups(speaker) > 0)
        expect(ups(speaker)).toBe(1)
      })

      test.runIf(router.refreshes !== undefined)('asked to, it sends everything again', async () => {
        const routes = Array.from({ length: 5 }, (_, i) => routeText(`10.99.10.${i}/32`, { med: i }))
        const speaker = start(1, peer(n.plain, { routes }))
        await seen('10.99.10.4/32', n.plain)
        const since = router.upSince(n.plain)
        const received = () => router.refreshes?.received(n.plain) ?? 0
        const before = received()
        expect(before).toBeGreaterThanOrEqual(routes.length)
        router.refreshes?.ask(n.plain)
        await until('the routes again', () => received() >= before + routes.length)
        // A router that speaks both families asks for each, in an order of its own.
        await until('the log', () => speaker.events('routeRefresh').some(({ family: asked }) => asked === 4))
        for (const { prefix } of routes) expect(router.route(prefix, n.plain)).toBeDefined()
        expect(router.upSince(n.plain)).toBe(since)
      })

      test('over a hop, if told that there are several', async () => {
        const far = (more: Partial<PeerText> = {}) =>
          peer(n.far, { connectSeconds: 1, routes: [routeText('10.99.2.1/32')], ...more })
        const speaker = start('far', far())
        await until('an attempt', () => speaker.events('peerAdded').length > 0)
        await sleep(1500)
        expect(router.isUp(n.far)).toBe(false)
        speaker.apply({ peers: [far({ ebgpMultiHop: true })] })
        await seen('10.99.2.1/32', n.far)
        expect(router.route('10.99.2.1/32', n.far)?.nextHop).toBe(family === 4 ? n.far : '10.78.0.11')
      })

      test('an AS number of four octets', async () => {
        start(2, peer(n.large, { myASN: 4200000000, routes: [routeText('10.99.2.3/32')] }))
        await seen('10.99.2.3/32', n.large)
        expect(router.route('10.99.2.3/32', n.large)?.asPath).toBe('4200000000')
      })

      test.runIf(router.secures.includes(family))('TTL security, and nobody who has none', async () => {
        const secured = peer(n.secured, { ttlSecurityHops: 1, routes: [routeText('10.99.2.2/32')] })
        const speaker = start(2, secured)
        await seen('10.99.2.2/32', n.secured)
        speaker.apply({ peers: [peer(n.secured, { connectSeconds: 1 })] })
        await until('the end', () => !router.isUp(n.secured))
        // Not by what the speaker logs: a router that asks for the TTL after it accepted may have read its OPEN before.
        await sleep(2500)
        expect(router.isUp(n.secured)).toBe(false)
      })

      test.runIf(router.oldAS !== undefined)('a router that knows AS numbers of two octets', async () => {
        const routes = [routeText('10.99.9.1/32', { prepend: 1, communities })]
        start(1, peer(n.old, { myASN: 4200000000, routes }))
        await seen('10.99.9.1/32', n.old)
        expect(router.route('10.99.9.1/32', n.old)).toMatchObject({
          asPath: `${router.oldAS} ${router.oldAS}`,
          communities: ['65000:7'],
          large: ['4200000000:1:2'],
        })
      })

      test('a router that is frozen is given up after the hold time, and so are we', async () => {
        const quick = { holdTimeSeconds: 3, routes: [routeText('10.99.3.1/32')] }
        const speaker = start(1, peer(n.plain, quick))
        await seen('10.99.3.1/32', n.plain)
        router.freeze()
        await until('the end', () => speaker.events('sessionDown').length > 0)
        router.thaw()
        expect(speaker.events('sessionDown')[0]).toMatchObject({ reason: 'holdTimerExpired' })
        await until('it is back', () => ups(speaker) > 1)
        await seen('10.99.3.1/32', n.plain)
        speaker.freeze()
        await gone('10.99.3.1/32', n.plain)
        speaker.thaw()
      })

      test('both dial: one session comes of it, and one again after the router drops it', async () => {
        const speaker = start(2, peer(n.active, { routes: [routeText('10.99.4.1/32')] }))
        await seen('10.99.4.1/32', n.active)
        await until('the log', () => ups(speaker) > 0)
        const before = ups(speaker)
        await router.restart()
        await until('it is back', () => ups(speaker) > before)
        await seen('10.99.4.1/32', n.active)
        expect(router.isUp(n.active)).toBe(true)
      })

      describe.runIf(router.collides)('of two connections at once that one stays', () => {
        test.each([
          ['we', /:179$/, {}],
          ['the router', /:179 .*:\d+$/, { routerID: '10.76.0.1' }],
        ] as const)('which %s dialled', async (_who, ends, more) => {
          const collides = async (): Promise<boolean> => {
            const speaker = start(2, peer(n.active, { ...more, routes: [routeText('10.99.4.2/32')] }))
            const collided = () => speaker.events('connectionCollision').length > 0
            await until('a second connection, or a session', () => collided() || ups(speaker) > 0)
            return collided()
          }
          lab.muteDials(2)
          try {
            // The router may have dialled before we did.
            while (!(await collides())) await lab.tidy()
          } finally {
            lab.muteDials(2, false)
          }
          await seen('10.99.4.2/32', n.active)
          await until('one connection', () => lab.connections(2, n.active).length === 1)
          expect(lab.connections(2, n.active)[0]?.trim()).toMatch(ends)
          expect(router.isUp(n.active)).toBe(true)
        })
      })

      test('only the router dials', async () => {
        const speaker = start(2, peer(n.active, { passive: true, routes: [routeText('10.99.5.1/32')] }))
        await seen('10.99.5.1/32', n.active)
        expect(speaker.events('connectFailed')).toEqual([])
      })

      test('routes outlive a restart of the speaker, not a stop, and what goes by them as well', async () => {
        const from = n.restarting
        lab.addService(2, '10.99.6.1')
        const kept = routeText('10.99.6.1/32')
        const restarting = peer(from, { gracefulRestart: true })
        const first = start(2, { ...restarting, routes: [kept, routeText('10.99.6.2/32')] })
        await seen('10.99.6.2/32', from)
        if (router.forwards) await until('the kernel', () => lab.kernelRoute('10.99.6.1') !== '')
        const traffic = router.forwards ? lab.startTraffic('10.99.6.1') : undefined
        let missed = 0
        const watch = setInterval(() => {
          if (router.route('10.99.6.1/32', from) === undefined) missed++
        }, 50)
        onTestFinished(() => clearInterval(watch))
        first.restart()
        await first.ended()
        await until('the end of the session', () => !router.isUp(from))
        const second = start(2, { ...restarting, routes: [kept] })
        await until('the session', () => ups(second) === 1)
        await gone('10.99.6.2/32', from)
        clearInterval(watch)
        expect(missed).toBe(0)
        const through = await traffic?.end()
        expect(through?.lost ?? []).toEqual([])
        expect((through?.answered ?? 0) > 0).toBe(router.forwards)
        // A NOTIFICATION before the router's side is up would leave it in the restart.
        await up(from)
        await sleep(200)
        await second.stop()
        // Long before what is stale would go.
        await gone('10.99.6.1/32', from, 15_000)
      })
    })
  })
}
