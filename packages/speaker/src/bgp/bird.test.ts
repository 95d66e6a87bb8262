import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWith } from './testing/describe-with.ts'
import { PeerLab } from './testing/peer-lab.ts'
import { type PeerText, peerText } from './testing/plan-text.ts'
import { until } from './testing/until.ts'

/** On port 1179: two families on one session, a password, and an AS of four octets. */
const configuration = `
router id 10.77.0.1;
protocol device {}
template bgp node {
  local 10.77.0.1 port 1179 as 4200000001;
  direct;
  passive on;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
protocol bgp secured from node { neighbor 10.77.0.21 as 4200000000; password "secret"; }
protocol bgp plain from node { neighbor 10.77.0.11 as 4200000000; }
`

const peer = (more: Partial<PeerText>): PeerText =>
  peerText({ name: 'bird', port: 1179, myASN: 4200000000, peerASN: 4200000001, holdTimeSeconds: 9, ...more })

describeWith('with', 'bird', () => {
  let lab: PeerLab
  beforeAll(async () => {
    lab = new PeerLab(1)
    await lab.startBird(configuration)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  test('routes of both families with their communities, withdrawn one by one and all at the end', async () => {
    const speaker = lab.startSpeaker(1)
    const communities = [
      { kind: 'standard', high: 65000, low: 7 },
      { kind: 'large', global: 4200000000, local1: 1, local2: 2 },
    ] as const
    const first = { prefix: '10.99.0.1/32', communities }
    const second = { prefix: '2001:db8:99::1/128', communities: [] }
    speaker.apply({ peers: [peer({ routes: [first, second] })] })
    const seen = (prefix: string) => lab.birdc(`show route all for ${prefix}`)
    await until(
      'both routes',
      () => seen('10.99.0.1').includes('BGP') && seen('2001:db8:99::1').includes('BGP'),
    )
    expect(seen('10.99.0.1')).toMatch(/BGP.as_path: 4200000000\n/)
    expect(seen('10.99.0.1')).toMatch(/BGP.next_hop: 10\.77\.0\.11\n/)
    expect(seen('10.99.0.1')).toMatch(/BGP.community: \(65000,7\)/)
    expect(seen('10.99.0.1')).toMatch(/BGP.large_community: \(4200000000, 1, 2\)/)
    expect(seen('2001:db8:99::1')).toMatch(/BGP.next_hop: fd77::11( |\n)/)
    speaker.apply({ peers: [peer({ routes: [second] })] })
    await until('the first one gone', () => !seen('10.99.0.1').includes('BGP'))
    expect(seen('2001:db8:99::1')).toMatch(/BGP/)
    await speaker.stop()
    await until('the other one gone', () => !seen('2001:db8:99::1').includes('BGP'))
  })

  test('a password and a source address', async () => {
    const speaker = lab.startSpeaker(1)
    const secured = peer({ sourceAddress: '10.77.0.21', password: 'secret' })
    speaker.apply({ peers: [secured] })
    await until('the session', () => speaker.events('sessionUp').length === 1)
    await expect.poll(() => lab.birdc('show protocols secured')).toMatch(/Established/)
    await speaker.stop()
  })
})
