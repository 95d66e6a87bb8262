/** What every router must see of us, whoever wrote it. The routers' own ways are in `contract-peer.ts`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../testing/describe-with.ts'
import { PeerLab, type SpeakerNode } from '../testing/peer-lab.ts'
import { type PeerText, peerText, routeText } from '../testing/plan-text.ts'
import { until } from '../testing/until.ts'
import { type ContractPeer, neighbors as n } from './contract-peer.ts'

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
    const speakers: SpeakerNode[] = []
    const start = (node: number, ...peers: readonly PeerText[]): SpeakerNode => {
      const speaker = lab.startSpeaker(node, 179)
      speakers.push(speaker)
      speaker.apply({ peers })
      return speaker
    }
    const up = (address: string) => until(`the session of ${address}`, () => router.isUp(address))
    const seen = (prefix: string, from: string) =>
      until(`${prefix} from ${from}`, () => router.route(prefix, from) !== undefined)
    const gone = (prefix: string, from: string, limitMs?: number) =>
      until(`${prefix} gone`, () => router.route(prefix, from) === undefined, limitMs)
    const stopAll = () => Promise.all(speakers.splice(0).map((speaker) => speaker.stop()))

    beforeAll(async () => {
      lab = new PeerLab(2)
      await router.start(lab)
    }, 30_000)
    afterEach(stopAll)
    afterAll(() => lab.close())

    test.each([n.plain4, n.plain6])('%s: routes of both families with all they carry', async (from) => {
      const rich = routeText('10.99.0.1/32', { communities, med: 7, prepend: 1 })
      const speaker = start(1, peer(from, { routes: [rich, routeText('2001:db8:99::1/128')] }))
      await seen('10.99.0.1/32', from)
      await seen('2001:db8:99::1/128', from)
      expect(router.route('10.99.0.1/32', from)).toEqual({
        asPath: '65000 65000',
        nextHop: '10.77.0.11',
        communities: ['65000:7'],
        large: ['4200000000:1:2'],
        localPref: router.name === 'bird' ? 100 : undefined,
        med: 7,
        bandwidth: undefined,
      })
      expect(router.route('2001:db8:99::1/128', from)).toMatchObject({ nextHop: 'fd77::11', asPath: '65000' })
      const times = router.timesUp(from)

      const many = Array.from({ length: 1000 }, (_, i) => routeText(`10.98.${i >> 8}.${i & 255}/32`))
      speaker.apply({ peers: [peer(from, { routes: [...many, routeText('10.99.0.0/24')] })] })
      await seen('10.98.3.231/32', from)
      await seen('10.99.0.0/24', from)
      await gone('10.99.0.1/32', from)
      const asks = router.refresh(from)
      await until('the refresh', () => !asks || speaker.events('routeRefresh').length > 0)
      speaker.apply({ peers: [peer(from, { routes: [routeText('10.99.0.0/24', { communities })] })] })
      await gone('10.98.3.231/32', from)
      await until('the communities', () => router.route('10.99.0.0/24', from)?.large.length === 1)
      expect(router.timesUp(from)).toBe(times)
      await until('the session in the log', () => speaker.events('sessionUp').length > 0)
      expect(speaker.events('sessionUp')).toHaveLength(1)

      await speaker.stop()
      await gone('10.99.0.0/24', from, 1500)
      expect(router.lastError(from)).toMatch(/speaker on node-1 stops|Administrative|administrative|cease/i)
    })

    test('a password, wrong, right and replaced', async () => {
      const speaker = start(1, peer(n.password4, { password: 'wrong', connectSeconds: 1 }))
      await until('an attempt', () => speaker.events('peerAdded').length > 0)
      speaker.apply({ peers: [peer(n.password4, { password: 'secret' })] })
      await up(n.password4)
      speaker.apply({ peers: [peer(n.password4, { password: 'other' })] })
      await until('no session', () => !router.isUp(n.password4))
      speaker.apply({ peers: [peer(n.password4, { password: 'secret' })] })
      await up(n.password4)
      await until('the log', () => speaker.events('peerChanged').length === 3)
      await until('both sessions in the log', () => speaker.events('sessionUp').length === 2)
      expect(router.isUp(n.password4)).toBe(true)
    })

    test('inside the AS: LOCAL_PREF and an empty path', async () => {
      const routes = [routeText('10.99.1.1/32'), routeText('10.99.1.2/32', { localPref: 250 })]
      start(1, peer(n.internal4, { myASN: 65530, routes }))
      await seen('10.99.1.2/32', n.internal4)
      expect(router.route('10.99.1.2/32', n.internal4)).toMatchObject({ localPref: 250, asPath: '' })
      expect(router.route('10.99.1.1/32', n.internal4)).toMatchObject({ localPref: 100 })
    })

    test('the weight of a path, outside the AS and inside', async () => {
      const weighted = [routeText('10.99.7.1/32', { bandwidth: 125e6 })]
      const inside = peer(n.internal4, { name: 'inside', myASN: 65530, routes: weighted })
      start(1, peer(n.plain4, { routes: weighted }), inside)
      await seen('10.99.7.1/32', n.plain4)
      await seen('10.99.7.1/32', n.internal4)
      expect(router.route('10.99.7.1/32', n.plain4)?.bandwidth).toBe(125e6)
      expect(router.route('10.99.7.1/32', n.internal4)?.bandwidth).toBe(125e6)
    })

    test('a node that is taken out says so before its routes go, and the session stays', async () => {
      const speaker = start(
        1,
        peer(n.plain4, { routes: [routeText('10.99.8.1/32'), routeText('10.99.8.2/32')] }),
      )
      await seen('10.99.8.2/32', n.plain4)
      speaker.apply({ peers: [peer(n.plain4, { routes: [routeText('10.99.8.2/32')] })], retiring: true })
      const communities = () => router.route('10.99.8.1/32', n.plain4)?.communities.join()
      await until('the community', () => /^(65535:0|graceful-shutdown)$/.test(communities() ?? ''))
      await gone('10.99.8.1/32', n.plain4)
      expect(router.route('10.99.8.2/32', n.plain4)?.communities).toEqual([])
      await until('the session in the log', () => speaker.events('sessionUp').length > 0)
      expect(speaker.events('sessionUp')).toHaveLength(1)
    })

    test('several hops, TTL security, and an AS number of four octets', async () => {
      const far = peer(n.far4, { name: 'far', ebgpMultiHop: true, routes: [routeText('10.99.2.1/32')] })
      start(1, far)
      start(
        2,
        peer(n.secured4, { name: 'secured', ttlSecurityHops: 1, routes: [routeText('10.99.2.2/32')] }),
        peer(n.large4, { name: 'large', myASN: 4200000000, routes: [routeText('10.99.2.3/32')] }),
      )
      await seen('10.99.2.1/32', n.far4)
      await seen('10.99.2.2/32', n.secured4)
      await seen('10.99.2.3/32', n.large4)
      expect(router.route('10.99.2.3/32', n.large4)?.asPath).toBe('4200000000')
    })

    test('a router that is frozen is given up after the hold time, and so are we', async () => {
      const quick = { holdTimeSeconds: 3, routes: [routeText('10.99.3.1/32')] }
      const speaker = start(1, peer(n.plain4, quick))
      await seen('10.99.3.1/32', n.plain4)
      router.freeze()
      await until('the end', () => speaker.events('sessionDown').length === 1)
      router.thaw()
      expect(speaker.events('sessionDown')[0]).toMatchObject({ reason: 'holdTimerExpired' })
      speaker.apply({ peers: [peer(n.plain6, quick)] })
      await seen('10.99.3.1/32', n.plain6)
      speaker.freeze()
      await gone('10.99.3.1/32', n.plain6)
      speaker.thaw()
    })

    test('both dial: one session comes of it, and one again after the router drops it', async () => {
      const speaker = start(2, peer(n.active4, { routes: [routeText('10.99.4.1/32')] }))
      await seen('10.99.4.1/32', n.active4)
      await until('the log', () => speaker.events('sessionUp').length > 0)
      const ups = speaker.events('sessionUp').length
      await router.restart()
      await until('it is back', () => speaker.events('sessionUp').length > ups)
      await seen('10.99.4.1/32', n.active4)
      expect(router.isUp(n.active4)).toBe(true)
    })

    test('only the router dials', async () => {
      const speaker = start(2, peer(n.active4, { passive: true, routes: [routeText('10.99.5.1/32')] }))
      await seen('10.99.5.1/32', n.active4)
      expect(speaker.events('connectFailed')).toEqual([])
    })

    test.each([n.restarting4, n.restarting6])(
      '%s: routes outlive a restart of the speaker, not a stop',
      async (from) => {
        const kept = routeText('10.99.6.1/32')
        const restarting = peer(from, { gracefulRestart: true })
        const first = start(2, { ...restarting, routes: [kept, routeText('10.99.6.2/32')] })
        await seen('10.99.6.2/32', from)
        let missed = 0
        const watch = setInterval(() => {
          if (router.route('10.99.6.1/32', from) === undefined) missed++
        }, 50)
        first.restart()
        await first.ended()
        await until('the end of the session', () => !router.isUp(from))
        const second = start(2, { ...restarting, routes: [kept] })
        await until('the session', () => second.events('sessionUp').length === 1)
        await gone('10.99.6.2/32', from)
        clearInterval(watch)
        expect(missed).toBe(0)
        // A NOTIFICATION before the router's side is up would leave it in the restart.
        await up(from)
        await sleep(200)
        await second.stop()
        await gone('10.99.6.1/32', from, 2000)
      },
    )
  })
}
