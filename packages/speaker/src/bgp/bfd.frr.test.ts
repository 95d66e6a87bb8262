import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { BfdCounts } from '../bfd/index.ts'
import { describeWith } from './testing/describe-with.ts'
import { PeerLab, type SpeakerNode } from './testing/peer-lab.ts'
import { type PeerText, peerText } from './testing/plan-text.ts'
import { until } from './testing/until.ts'

/** .11 and fd77::11: one hop, 200 ms × 10: what a machine that others use keeps up with · .21: echo · .31: passive on our side · .41: over several hops · n2: unnumbered. */
const configuration = `
bfd
 profile patient
  detect-multiplier 10
  receive-interval 200
  transmit-interval 200
 profile echo
  echo-mode
  detect-multiplier 10
  echo transmit-interval 200
  echo receive-interval 200
 profile far
  minimum-ttl 250
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 neighbor NODE peer-group
 neighbor NODE remote-as 65000
 neighbor NODE passive
 neighbor NODE bfd
 neighbor NODE bfd profile patient
 neighbor 10.77.0.11 peer-group NODE
 neighbor fd77::11 peer-group NODE
 neighbor 10.77.0.21 remote-as 65000
 neighbor 10.77.0.21 passive
 neighbor 10.77.0.21 bfd
 neighbor 10.77.0.21 bfd profile echo
 neighbor 10.77.0.31 peer-group NODE
 neighbor 10.77.0.41 remote-as 65000
 neighbor 10.77.0.41 passive
 neighbor 10.77.0.41 ebgp-multihop 5
 neighbor 10.77.0.41 bfd
 neighbor 10.77.0.41 bfd profile far
 neighbor n2 interface remote-as 65000
 neighbor n2 bfd
 neighbor n2 bfd profile patient
`

const patient = {
  transmitMs: 200,
  receiveMs: 200,
  multiplier: 10,
  passive: false,
  echoMs: undefined,
  minimumTtl: 254,
} as const
const peer = (more: Partial<PeerText>): PeerText => peerText({ bfd: patient, ...more })

interface BfdPeer {
  readonly peer: string
  readonly status: string
  readonly diagnostic: string
  readonly 'remote-receive-interval': number
  readonly multihop: boolean
  readonly interface?: string
}

describeWith('with', 'frr', () => {
  let lab: PeerLab
  beforeAll(async () => {
    lab = new PeerLab(2)
    lab.unbridge(2)
    await lab.startFrr(configuration)
  }, 30_000)
  afterEach(() => lab.tidy())
  afterAll(() => lab.close())

  const seen = (address: string): BfdPeer | undefined =>
    (JSON.parse(lab.vtysh('show bfd peers json') || '[]') as BfdPeer[]).find(({ peer: of }) => of === address)
  const echoesOf = (address: string): number =>
    (
      JSON.parse(lab.vtysh('show bfd peers counters json')) as {
        peer: string
        'echo-packet-input': number
      }[]
    )
      .filter(({ peer: of }) => of === address)
      .reduce((sum, counters) => sum + counters['echo-packet-input'], 0)
  const bothUp = (speaker: SpeakerNode, address: string, count = 1) =>
    until(
      'BFD on both sides',
      () =>
        speaker.events('bfd').filter(({ state }) => state === 'up').length >= count &&
        seen(address)?.status === 'up',
    )

  test.each([
    ['10.77.0.11', '10.77.0.1'],
    ['fd77::11', 'fd77::1'],
  ])(
    '%s: a frozen bfdd takes the session down at once, and up again when it is back',
    async (own, address) => {
      const speaker = lab.startSpeaker(1)
      speaker.apply({ peers: [peer({ address, sourceAddress: own })], busy: 500 })
      await bothUp(speaker, own)
      await until('the intervals', () => seen(own)?.['remote-receive-interval'] === 200)
      expect(speaker.events('sessionDown')).toEqual([])
      lab.freeze('bfdd')
      await until('BFD down', () => speaker.events('bfd').some(({ state }) => state === 'down'))
      await until('BGP down', () => speaker.events('sessionDown').length === 1)
      expect(speaker.events('sessionDown')[0]).toMatchObject({ reason: 'cease/bfdDown' })
      lab.thaw('bfdd')
      await until('BGP up', () => speaker.events('sessionUp').length === 2)
      await speaker.stop()
    },
  )

  test('while the main thread is blocked, the worker ends the session of a peer that BFD lost', async () => {
    const neighbor = () => lab.vtysh('show bgp neighbor 10.77.0.11 json', 'bgpd')
    const state = () => JSON.parse(neighbor() || '{}')['10.77.0.11']?.bgpState
    const speaker = lab.startSpeaker(1)
    const peers = [peer({ sourceAddress: '10.77.0.11' })]
    speaker.apply({ peers })
    await bothUp(speaker, '10.77.0.11')
    await until('the intervals', () => seen('10.77.0.11')?.['remote-receive-interval'] === 200)
    await until('the session there', () => state() === 'Established')
    speaker.apply({ peers, busy: 10_000 })
    await until('the main thread to be blocked', () => speaker.events('busy').length > 0)
    const before = speaker.log.length
    lab.freeze('bfdd')
    await until('the end at the router', () => state() !== 'Established', 9000)
    expect(speaker.log.slice(before)).toEqual([])
    lab.thaw('bfdd')
    await until('its word of it', () => speaker.events('bfd').some(({ what }) => what === 'shut'))
    speaker.kill()
    await speaker.ended()
  })

  test('echoes come back from the router, and their loss takes the session down', async () => {
    lab.forward('r')
    lab.forward('n1')
    const speaker = lab.startSpeaker(1)
    const bfd = { ...patient, transmitMs: 1000, receiveMs: 1000, echoMs: 200 }
    speaker.apply({ peers: [peer({ sourceAddress: '10.77.0.21', bfd })] })
    await bothUp(speaker, '10.77.0.21')
    await until('echoes in both directions', () =>
      speaker.events('bfdCounts').some(({ tor }) => (tor as BfdCounts).echoIn >= 5),
    )
    await until('echoes of the router', () => echoesOf('10.77.0.21') >= 5)
    lab.forward('r', false)
    await until('BFD down', () => speaker.events('bfd').some(({ diagnostic }) => diagnostic === 2))
    await until('BGP down', () => speaker.events('sessionDown').length > 0)
    // BFD's word of it may reach the router's BGP, and its goodbye us, before our own.
    expect(speaker.events('sessionDown')[0]).toMatchObject({
      reason: expect.stringMatching(/^(peer: )?cease\/bfdDown$/),
    })
    await speaker.stop()
  })

  test('one that is passive waits for the router', async () => {
    const speaker = lab.startSpeaker(1)
    speaker.apply({ peers: [peer({ sourceAddress: '10.77.0.31', bfd: { ...patient, passive: true } })] })
    await bothUp(speaker, '10.77.0.31')
    expect(speaker.events('sessionDown')).toEqual([])
    await speaker.stop()
  })

  test('several hops', async () => {
    const speaker = lab.startSpeaker(1)
    speaker.apply({ peers: [peer({ sourceAddress: '10.77.0.41', ebgpMultiHop: true })] })
    await bothUp(speaker, '10.77.0.41')
    expect(seen('10.77.0.41')).toMatchObject({ multihop: true })
    await speaker.stop()
  })

  test('unnumbered: between the link-local addresses of the interface, which loses it and has it back', async () => {
    const speaker = lab.startSpeaker(2)
    const { address: _address, ...unnumbered } = peer({ interface: 'eth0', peerASN: 'external' })
    speaker.apply({ peers: [unnumbered] })
    const all = (): readonly BfdPeer[] => JSON.parse(lab.vtysh('show bfd peers json') || '[]')
    const there = () => all().find((one) => one.interface === 'n2')
    await until('BFD here', () => speaker.events('bfd').at(-1)?.['state'] === 'up')
    await until('BFD there', () => there()?.status === 'up')
    expect(there()).toMatchObject({ peer: expect.stringMatching(/^fe80:/), multihop: false })
    lab.freeze('bfdd')
    await until('BGP down', () => speaker.events('sessionDown').length === 1)
    expect(speaker.events('sessionDown')[0]).toMatchObject({ reason: 'cease/bfdDown' })
    lab.thaw('bfdd')
    await until('BGP up', () => speaker.events('sessionUp').length === 2)
    await until('BFD up', () => there()?.status === 'up')
    await speaker.stop()
  })

  test('a profile that comes to a session that is up begins BFD, without a flap', async () => {
    const speaker = lab.startSpeaker(1)
    const { bfd: _bfd, ...without } = peer({ sourceAddress: '10.77.0.11' })
    speaker.apply({ peers: [without] })
    await until('the session', () => speaker.events('sessionUp').length === 1)
    speaker.apply({ peers: [{ ...without, bfd: patient }] })
    await bothUp(speaker, '10.77.0.11')
    expect(speaker.events('sessionDown')).toEqual([])
    await speaker.stop()
  })

  test('a profile that changes is agreed on without a flap, and one that goes ends BFD alone', async () => {
    const speaker = lab.startSpeaker(1)
    speaker.apply({ peers: [peer({})] })
    await bothUp(speaker, '10.77.0.11')
    await until('the intervals', () => seen('10.77.0.11')?.['remote-receive-interval'] === 200)
    speaker.apply({ peers: [peer({ bfd: { ...patient, receiveMs: 300, transmitMs: 400 } })] })
    await until('the new ones', () => seen('10.77.0.11')?.['remote-receive-interval'] === 300)
    const { bfd: _bfd, ...without } = peer({})
    speaker.apply({ peers: [without] })
    await until('the end of BFD', () => seen('10.77.0.11')?.status !== 'up')
    await until('the last word', () => speaker.events('bfd').at(-1)?.['state'] === 'adminDown')
    expect(speaker.events('bfd').map(({ held }) => held)).not.toContain(true)
    await speaker.stop()
  })
})
