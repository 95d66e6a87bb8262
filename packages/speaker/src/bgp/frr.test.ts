import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from './testing/describe-with.ts'
import { PeerLab, type SpeakerNode } from './testing/peer-lab.ts'
import { type PeerText, peerText, routeText } from './testing/plan-text.ts'
import { until } from './testing/until.ts'

/** Neighbors .1n: eBGP · .2n: eBGP with a password · .3n: iBGP · fd77::1n: eBGP, both families. */
const configuration = `
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp bestpath as-path multipath-relax
 neighbor PLAIN peer-group
 neighbor PLAIN remote-as 65000
 neighbor PLAIN passive
 neighbor 10.77.0.11 peer-group PLAIN
 neighbor 10.77.0.12 peer-group PLAIN
 neighbor fd77::11 peer-group PLAIN
 neighbor fd77::12 peer-group PLAIN
 neighbor 10.77.0.21 peer-group PLAIN
 neighbor 10.77.0.21 password secret
 neighbor 10.77.0.31 remote-as 65530
 neighbor 10.77.0.31 passive
 address-family ipv4 unicast
  neighbor PLAIN activate
  neighbor 10.77.0.31 activate
  maximum-paths 16
 exit-address-family
 address-family ipv6 unicast
  neighbor PLAIN activate
  maximum-paths 16
 exit-address-family
`

const peer = (name: string, more: Partial<PeerText>): PeerText => peerText({ name, ...more })

describeWith('with', 'frr', () => {
  let lab: PeerLab
  const node = (n: number): SpeakerNode => lab.startSpeaker(n)

  beforeAll(async () => {
    lab = new PeerLab(2)
    await lab.startFrr(configuration)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  const neighbor = (address: string) =>
    JSON.parse(lab.vtysh(`show bgp neighbor ${address} json`))[address] as {
      readonly bgpState: string
      readonly connectionsEstablished: number
      readonly lastErrorCodeSubcode?: string
      readonly lastShutdownDescription?: string
    }
  const seen = (prefix: string) =>
    lab.vtysh(`show bgp ${prefix.includes(':') ? 'ipv6' : 'ipv4'} unicast ${prefix}`)
  const hops = (prefix: string) =>
    lab
      .kernelRoute(prefix)
      .match(/via \S+/g)
      ?.map((hop) => hop.slice(4)) ?? []

  test('routes of two speakers become one route with two next hops; each leaves at once', async () => {
    const [first, second] = [node(1), node(2)]
    const communities = [
      { kind: 'standard', high: 65000, low: 7 },
      { kind: 'large', global: 65000, local1: 1, local2: 2 },
    ] as const
    const plan = { peers: [peer('tor', { routes: [routeText('10.99.0.1/32', { communities })] })] }
    first.apply(plan)
    second.apply(plan)
    await until('both next hops in the kernel', () => hops('10.99.0.1/32').length === 2)
    expect(hops('10.99.0.1/32').toSorted()).toEqual(['10.77.0.11', '10.77.0.12'])
    expect(seen('10.99.0.1/32')).toMatch(/Community: 65000:7/)
    expect(seen('10.99.0.1/32')).toMatch(/Large Community: 65000:1:2/)
    await until('the session in the log', () => first.events('sessionUp').length > 0)
    const { msg, ...up } = first.events('sessionUp')[0] ?? {}
    expect(up).toMatchObject({ localASN: 65000, peer: '10.77.0.1:179', peerASN: 65530 })
    expect(msg).toBe('BGP session established')

    const more = Array.from({ length: 1000 }, (_, i) => routeText(`10.98.${i >> 8}.${i & 255}/32`))
    first.apply({ peers: [peer('tor', { routes: [...more, routeText('10.99.0.2/32')] })] })
    await until('the new route', () => hops('10.99.0.2/32').length === 1)
    await until('the old one without the first node', () => hops('10.99.0.1/32').join() === '10.77.0.12')
    expect(seen('10.98.3.231/32')).toMatch(/10.77.0.11/)
    expect(neighbor('10.77.0.11').connectionsEstablished).toBe(1)

    first.apply({ peers: [peer('tor', {})] })
    await until(
      'all withdrawn',
      () => hops('10.99.0.2/32').length === 0 && !/10\.77/.test(seen('10.98.0.0/32')),
    )
    expect(neighbor('10.77.0.11')).toMatchObject({ bgpState: 'Established', connectionsEstablished: 1 })

    await second.stop()
    await until('the route gone', () => hops('10.99.0.1/32').length === 0)
    expect(neighbor('10.77.0.12').lastShutdownDescription).toBe('speaker on node-2 stops')
    await first.stop()
  })

  test('a session over IPv6 carries both families', async () => {
    const speaker = node(1)
    const routes = [routeText('2001:db8:99::1/128'), routeText('10.99.1.1/32')]
    speaker.apply({ peers: [peer('tor6', { address: 'fd77::1', routes })] })
    await until('both routes', () => hops('2001:db8:99::1/128').length + hops('10.99.1.1/32').length === 2)
    expect(seen('2001:db8:99::1/128')).toMatch(/fd77::11/)
    expect(seen('10.99.1.1/32')).toMatch(/10\.77\.0\.11/)
    await until('the session in the log', () => speaker.events('sessionUp').length > 0)
    expect(speaker.events('sessionUp')[0]).toMatchObject({ peer: '[fd77::1]:179' })
    speaker.apply({ peers: [peer('tor6', { address: 'fd77::1', routes: [] })] })
    await until('both gone', () => hops('2001:db8:99::1/128').length + hops('10.99.1.1/32').length === 0)
    await speaker.stop()
  })

  test('an IPv6 route over an IPv4 session goes by the IPv6 address of the interface', async () => {
    const speaker = node(2)
    speaker.apply({ peers: [peer('tor', { routes: [routeText('2001:db8:99::2/128')] })] })
    await until('the route', () => seen('2001:db8:99::2/128').includes('Paths: (1 available'))
    expect(seen('2001:db8:99::2/128')).toMatch(/fd77::12 from 10\.77\.0\.12/)
    await speaker.stop()
  })

  test('a corrected password is taken, and a silent peer delays no other', async () => {
    const speaker = node(1)
    const secured = (password: string) =>
      peer('secured', { sourceAddress: '10.77.0.21', password, routes: [routeText('10.99.2.1/32')] })
    const plain = peer('tor', { routes: [routeText('10.99.2.2/32')] })
    speaker.apply({ peers: [secured('wrong'), plain] })
    await until('the other peer', () => hops('10.99.2.2/32').length === 1)
    expect(neighbor('10.77.0.21').bgpState).not.toBe('Established')
    speaker.apply({ peers: [secured('secret'), plain] })
    await until('the session', () => neighbor('10.77.0.21').bgpState === 'Established')
    expect(neighbor('10.77.0.11').connectionsEstablished).toBeGreaterThan(0)
    expect(speaker.events('sessionDown')).toEqual([])
    await speaker.stop()
  })

  test('an internal peer gets LOCAL_PREF: what the route says, else 100', async () => {
    const speaker = node(1)
    const routes = [routeText('10.99.3.1/32'), routeText('10.99.3.2/32', { localPref: 250 })]
    speaker.apply({ peers: [peer('rr', { myASN: 65530, sourceAddress: '10.77.0.31', routes })] })
    await until('both routes', () => /localpref 250/.test(seen('10.99.3.2/32')))
    expect(seen('10.99.3.1/32')).toMatch(/localpref 100/)
    expect(seen('10.99.3.1/32')).toMatch(/Local\n/)
    await speaker.stop()
  })

  test('a peer that goes silent is given up after the hold time, with the reason', async () => {
    const speaker = node(2)
    speaker.apply({ peers: [peer('tor', { holdTimeSeconds: 3 })] })
    await until('the session', () => speaker.events('sessionUp').length === 1)
    lab.freeze('bgpd')
    await until('the end', () => speaker.events('sessionDown').length > 0)
    lab.thaw('bgpd')
    expect(speaker.events('sessionDown')[0]).toMatchObject({ reason: 'holdTimerExpired' })
    await until('the session again', () => speaker.events('sessionUp').length > 1)
    await speaker.stop()
  })
})
