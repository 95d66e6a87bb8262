/** The fields of a BGP site's objects, and what a router sees of each on the wire. */
import type { RouterOptions } from '../bgp/testing/watching-router.ts'

/** Of this process alone: others may run the same. */
const net = `127.${71 + (process.pid % 100)}.${(process.pid >> 7) % 250}`
/** Of the node: on interfaces eth6 and eth7. */
export const [own, other] = [`${net}.1`, `${net}.3`]
/** Of the router, both. */
export const [router, twin] = [`${net}.2`, `${net}.22`]
const labelled = (labels: Readonly<Record<string, string>>) => ({ matchLabels: labels })

export interface Site {
  readonly peer: object
  readonly annotations: Readonly<Record<string, string>>
  readonly advertisement: object
  readonly profile: object
  readonly community: object
}
export type Part = 'peer' | 'advertisement' | 'profile' | 'community'

export interface Row {
  /** The field; undefined leaves out what stands there. */
  readonly is: object
  /** What is there with it and without. */
  readonly beside?: Partial<Site>
  readonly router?: Partial<RouterOptions>
  /** Where more than a moment has to pass. */
  readonly seconds?: number
  /** With the field, and not without. */
  readonly shows?: readonly string[]
  /** Without the field, and not with it. */
  readonly hides?: readonly string[]
}

const route = '10.0.0.1/32: AS path 64500'
const silence = 'no session: connectTimeout'
const noBfd = { peer: { bfdProfile: undefined } }

export const rows: Readonly<Record<Part, Readonly<Record<string, Row>>>> = {
  peer: {
    myASN: { is: { myASN: 64999 }, shows: ['OPEN: AS 64999', '10.0.0.1/32: AS path 64999'], hides: [route] },
    peerASN: { is: { peerASN: 64999 }, shows: ['NOTIFICATION open/badPeerAS'], hides: [route] },
    localASN: {
      is: { localASN: 64999 },
      shows: ['OPEN: AS 64999', '10.0.0.1/32: AS path 64999'],
      hides: ['OPEN: AS 64500', route],
    },
    dynamicASN: {
      is: { peerASN: undefined, dynamicASN: 'external' },
      router: { asn: 64777 },
      shows: [route],
      hides: ['NOTIFICATION open/badPeerAS'],
    },
    peerAddress: {
      is: { peerAddress: twin },
      shows: [`dialled ${twin} port 1 from ${own}`],
      hides: [`dialled ${router} port 1 from ${own}`],
    },
    interface: {
      is: { interface: 'none', peerAddress: undefined, sourceAddress: undefined },
      beside: noBfd,
      shows: ['no session: neighborUnknown'],
      hides: [route],
    },
    sourceAddress: {
      is: { sourceAddress: 'eth7' },
      shows: [`dialled ${router} port 1 from ${other}`],
      hides: [`dialled ${router} port 1 from ${own}`],
    },
    peerPort: {
      is: { peerPort: 2 },
      shows: [`dialled ${router} port 2 from ${own}`],
      hides: [`dialled ${router} port 1 from ${own}`],
    },
    holdTime: { is: { holdTime: '180s' }, shows: ['OPEN: hold time 180 s'], hides: ['OPEN: hold time 90 s'] },
    keepaliveTime: {
      is: { keepaliveTime: '10s' },
      beside: { peer: { ...noBfd.peer, holdTime: '90s' } },
      seconds: 20,
      shows: ['KEEPALIVE after 8 s', 'KEEPALIVE after 17 s'],
    },
    connectTime: {
      is: { connectTime: '1s' },
      beside: noBfd,
      router: { refuses: true },
      seconds: 12,
      shows: ['dialled more than 10 times'],
    },
    routerID: {
      is: { routerID: '192.0.2.1' },
      shows: ['OPEN: identifier 192.0.2.1'],
      hides: [`OPEN: identifier ${own}`],
    },
    password: {
      is: { password: 'secret' },
      router: { password: 'secret' },
      shows: [route],
      hides: [silence],
    },
    passwordSecret: {
      is: { passwordSecret: { name: 'secret' } },
      router: { password: 'secret' },
      shows: [route],
      hides: [silence],
    },
    nodeSelectors: {
      is: { nodeSelectors: [labelled({ rack: 'other' })] },
      shows: ['no peer'],
      hides: [route],
    },
    bfdProfile: { is: { bfdProfile: undefined }, hides: ['BFD to port 3784'] },
    enableGracefulRestart: { is: { enableGracefulRestart: true }, shows: ['OPEN: restarts within 120 s'] },
    ebgpMultiHop: {
      is: { ebgpMultiHop: true },
      beside: noBfd,
      router: { minTtl: 2 },
      shows: [route],
      hides: [silence],
    },
    vrf: { is: { vrf: 'none' }, shows: ['no session: connectFailed'], hides: [route] },
    disableMP: {
      is: { disableMP: true },
      beside: { peer: { dualStackAddressFamily: undefined } },
      hides: ['OPEN: takes IPv4'],
    },
    dualStackAddressFamily: {
      is: { dualStackAddressFamily: false },
      hides: ['OPEN: takes IPv6', '2001:db8::1/128: AS path 64500'],
    },
  },
  advertisement: {
    ipAddressPools: { is: { ipAddressPools: ['other'] }, hides: [route] },
    ipAddressPoolSelectors: { is: { ipAddressPoolSelectors: [labelled({ kind: 'other' })] }, hides: [route] },
    nodeSelectors: { is: { nodeSelectors: [labelled({ rack: 'other' })] }, hides: [route] },
    serviceSelectors: { is: { serviceSelectors: [labelled({ app: 'other' })] }, hides: [route] },
    aggregationLength: {
      is: { aggregationLength: 24 },
      shows: ['10.0.0.0/24: AS path 64500'],
      hides: [route],
    },
    aggregationLengthV6: {
      is: { aggregationLengthV6: 64 },
      shows: ['2001:db8::/64: AS path 64500'],
      hides: ['2001:db8::1/128: AS path 64500'],
    },
    localPref: {
      is: { localPref: 250 },
      beside: { peer: { peerASN: 64500 } },
      router: { asn: 64500 },
      shows: ['10.0.0.1/32: LOCAL_PREF 250'],
      hides: ['10.0.0.1/32: LOCAL_PREF 100'],
    },
    communities: {
      is: { communities: ['64500:2'] },
      shows: ['10.0.0.1/32: community 64500:2'],
      hides: ['10.0.0.1/32: community 64500:1'],
    },
    peers: { is: { peers: ['other'] }, hides: [route] },
  },
  profile: {
    receiveInterval: {
      is: { receiveInterval: 100 },
      shows: ['BFD reads each 100 ms'],
      hides: ['BFD reads each 300 ms'],
    },
    transmitInterval: {
      is: { transmitInterval: 100 },
      shows: ['BFD sends each 100 ms'],
      hides: ['BFD sends each 300 ms'],
    },
    detectMultiplier: {
      is: { detectMultiplier: 5 },
      shows: ['BFD gives up after 5'],
      hides: ['BFD gives up after 3'],
    },
    echoInterval: {
      is: { echoInterval: 100 },
      shows: ['BFD echoes each 100 ms'],
      hides: ['BFD echoes each 50 ms'],
    },
    echoMode: { is: { echoMode: false }, hides: ['BFD echoes each 50 ms'] },
    passiveMode: { is: { passiveMode: true }, hides: ['BFD is down'] },
    minimumTtl: {
      is: { minimumTtl: 250 },
      beside: { peer: { ebgpMultiHop: true }, profile: { echoMode: false } },
      router: { bfdTtl: 252 },
      shows: ['BFD is up'],
    },
  },
  community: {
    communities: {
      is: { communities: [{ name: 'alias', value: 'large:64500:1:2' }] },
      shows: ['10.0.0.1/32: community 64500:1:2'],
      hides: ['10.0.0.1/32: community 64500:1'],
    },
  },
}

export const annotations: Readonly<Record<string, Row>> = {
  'metallb.io/ttl-security': {
    is: { 'metallb.io/ttl-security': '1' },
    router: { minTtl: 255 },
    shows: [route],
    hides: [silence],
  },
  'metallb.io/passive': {
    is: { 'metallb.io/passive': 'true' },
    shows: ['no session: active'],
    hides: [route],
  },
}
