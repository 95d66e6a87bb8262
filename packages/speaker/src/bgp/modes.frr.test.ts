/** The kinds of session that only some peers have, against FRR: unnumbered, graceful restart. */
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { describeWith } from './testing/describe-with.ts'
import { PeerLab } from './testing/peer-lab.ts'
import { peerText, routeText } from './testing/plan-text.ts'
import { until } from './testing/until.ts'

/**
 * 10.79.0.11 another device · .21 graceful restart · .31 an AS that is not fixed, seen as 65009 · n2: unnumbered, where FRR wants to be
 * nobody's default router.
 */
const configuration = `
bfd
 profile patient
  detect-multiplier 10
interface n2
 ipv6 nd ra-lifetime 0
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 bgp graceful-restart stalepath-time 30
 neighbor 10.77.0.11 remote-as 65000
 neighbor 10.77.0.11 passive
 neighbor 10.77.0.21 remote-as 65000
 neighbor 10.77.0.21 passive
 neighbor 10.77.0.21 graceful-restart-helper
 neighbor 10.77.0.31 remote-as 65009
 neighbor 10.77.0.31 passive
 neighbor 10.79.0.11 remote-as 65000
 neighbor 10.79.0.11 passive
 neighbor 10.79.0.11 ebgp-multihop 2
 neighbor 10.79.0.11 bfd
 neighbor 10.79.0.11 bfd profile patient
 neighbor n2 interface remote-as 65000
 neighbor n2 graceful-restart-helper
 address-family ipv6 unicast
  neighbor n2 activate
 exit-address-family
`

const bfd = {
  transmitMs: 300,
  receiveMs: 300,
  multiplier: 10,
  echoMs: undefined,
  passive: false,
  minimumTtl: 254,
}

describeWith('with', 'frr', () => {
  let lab: PeerLab
  beforeAll(async () => {
    lab = new PeerLab(2)
    lab.unbridge(2)
    lab.addDevice(1, 'red')
    await lab.startFrr(configuration)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  const seen = (prefix: string) =>
    lab.vtysh(`show bgp ${prefix.includes(':') ? 'ipv6' : 'ipv4'} unicast ${prefix}`)

  test('unnumbered: the router is found by its advertisements, and both families go over its link', async () => {
    const speaker = lab.startSpeaker(2)
    const { address: _address, ...unnumbered } = peerText({
      interface: 'eth0',
      peerASN: 'external',
      routes: [routeText('10.99.0.1/32'), routeText('2001:db8:99::1/128')],
    })
    speaker.apply({ peers: [unnumbered] })
    // FRR speaks up by itself each 10 s; asked for, it does at once.
    await until('the session', () => speaker.events('sessionUp').length === 1)
    await until('IPv4', () => lab.kernelRoute('10.99.0.1').includes('via inet6 fe80:'))
    await until('IPv6', () => lab.kernelRoute('2001:db8:99::1').includes('via fe80:'))
    expect(lab.kernelRoute('2001:db8:99::1')).toMatch(/dev n2/)
    await speaker.stop()
    await until('all gone', () => lab.kernelRoute('10.99.0.1') === '')
  })

  test('unnumbered: routes outlive a restart, and the link hears of a stop alone', async () => {
    const { address: _address, ...unnumbered } = peerText({
      interface: 'eth0',
      peerASN: 'external',
      gracefulRestart: true,
      routes: [routeText('10.99.5.1/32')],
    })
    const first = lab.startSpeaker(2)
    first.apply({ peers: [unnumbered] })
    await until('the route', () => lab.kernelRoute('10.99.5.1').includes('via inet6 fe80:'))
    let missed = 0
    const watch = setInterval(() => {
      if (lab.kernelRoute('10.99.5.1') === '') missed++
    }, 20)
    onTestFinished(() => clearInterval(watch))
    // The router's kernel takes routers of its links as defaults, for as long as their advertisements say.
    const advertised = () => lab.kernelRoute('::/0').includes('dev n2')
    await until('the advertisement', advertised)
    first.restart()
    await first.ended()
    expect(advertised()).toBe(true)
    const second = lab.startSpeaker(2)
    second.apply({ peers: [unnumbered] })
    await until('the session', () => second.events('sessionUp').length === 1)
    await until('its end of the round', () => !seen('10.99.5.1/32').includes('stale'))
    clearInterval(watch)
    expect(missed).toBe(0)
    await second.stop()
    await until('gone', () => lab.kernelRoute('10.99.5.1') === '')
    await until('the goodbye', () => !advertised())
  })

  test('a device to be bound to, as a VRF is: the session, its routes and BFD go by it alone', async () => {
    const speaker = lab.startSpeaker(1)
    const routes = [routeText('10.99.4.1/32')]
    const bound = peerText({ vrf: 'red', ebgpMultiHop: true, routes })
    speaker.apply({ peers: [{ ...bound, bfd }] })
    await until('the route', () => seen('10.99.4.1/32').includes('10.79.0.11 from 10.79.0.11'))
    expect(lab.connections(1, '10.77.0.1')).toMatchObject([expect.stringMatching(/10\.79\.0\.11(%red)?:/)])
    await until('BFD', () => speaker.events('bfd').at(-1)?.['state'] === 'up')
    expect(lab.vtysh('show bfd peers json')).toMatch(/"peer":\s*"10\.79\.0\.11"/)
    const { vrf: _vrf, ...unbound } = bound
    speaker.apply({ peers: [unbound] })
    await until('the other way', () => seen('10.99.4.1/32').includes('10.77.0.11 from 10.77.0.11'))
    await speaker.stop()
  })

  test('an AS number that is not fixed, and one of ours for this peer alone, from a prefix of sources', async () => {
    const speaker = lab.startSpeaker(1)
    const dynamic = peerText({ myASN: 65009, peerASN: 'external', sourceAddress: '10.77.0.31/32' })
    speaker.apply({ peers: [{ ...dynamic, routes: [routeText('10.99.1.1/32', { prepend: 1, med: 7 })] }] })
    await until('the route', () => seen('10.99.1.1/32').includes('65009 65009'))
    expect(seen('10.99.1.1/32')).toMatch(/metric 7/)
    await speaker.stop()
  })

  test('no source address: the reason is told', async () => {
    const speaker = lab.startSpeaker(1)
    speaker.apply({ peers: [peerText({ sourceAddress: 'eth7' })] })
    await until('the reason', () => speaker.events('connectFailed').length > 0)
    expect(speaker.events('connectFailed')[0]).toMatchObject({
      reason: 'connectFailed: sourceAddressMissing: this node has no address for interface eth7',
    })
    await speaker.stop()
  })

  test('graceful restart: routes stay while a speaker is away, and go for good when it stops', async () => {
    const restarting = peerText({ sourceAddress: '10.77.0.21', gracefulRestart: true })
    const kept = routeText('10.99.2.1/32')
    const first = lab.startSpeaker(1)
    first.apply({ peers: [{ ...restarting, routes: [kept, routeText('10.99.2.2/32')] }] })
    await until(
      'both routes',
      () => lab.kernelRoute('10.99.2.1') !== '' && lab.kernelRoute('10.99.2.2') !== '',
    )
    let missed = 0
    const watch = setInterval(() => {
      if (lab.kernelRoute('10.99.2.1') === '') missed++
    }, 20)
    onTestFinished(() => clearInterval(watch))
    first.restart()
    await first.ended()
    await until('the route is stale', () => seen('10.99.2.1/32').includes('stale'))
    const second = lab.startSpeaker(1)
    second.apply({ peers: [{ ...restarting, routes: [kept] }] })
    await until('the other one gone', () => lab.kernelRoute('10.99.2.2') === '')
    clearInterval(watch)
    expect(missed).toBe(0)
    expect(seen('10.99.2.1/32')).not.toMatch(/stale/)
    await second.stop()
    // Long before what is stale would go.
    await until('gone', () => lab.kernelRoute('10.99.2.1') === '', 15_000)
  })

  test('a node that drains: the route is marked before it goes', async () => {
    const speaker = lab.startSpeaker(1)
    speaker.apply({
      peers: [peerText({ sourceAddress: '10.77.0.31', myASN: 65009, routes: [routeText('10.99.3.1/32')] })],
      drainMs: 5000,
    })
    await until('the route', () => lab.kernelRoute('10.99.3.1') !== '')
    const stopped = speaker.stop()
    let marked = ''
    await until('the mark', () => (marked = seen('10.99.3.1/32')).includes('graceful-shutdown'))
    expect(marked).toMatch(/65009/)
    await stopped
    await until('gone', () => lab.kernelRoute('10.99.3.1') === '')
  })
})
