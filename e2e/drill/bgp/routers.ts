/** The routers that BFD is soaked against, each with a speaker on a link of its own. */
import { type PeerLab, type PeerText, peerText } from '@landfall/speaker/testing'

export interface Pace {
  readonly intervalMs: number
  readonly multiplier: number
}

export interface SoakedRouter {
  readonly name: 'frr' | 'bird'
  /** `host`: where BIRD is to run, unless it is the lab's router. */
  start(lab: PeerLab, pace: Pace, host?: string): Promise<void>
  isUp(lab: PeerLab, host?: string): boolean
  /** How often BFD went down, as the router counts; undefined where it does not. */
  downs(lab: PeerLab): number | undefined
}

/** Of the node's speaker: the first address. */
export const own = '10.77.0.11'
export const holdSeconds = 3

/** Of the node's speaker, over one hop. */
export function peerOf({ intervalMs, multiplier }: Pace): PeerText {
  const bfd = {
    transmitMs: intervalMs,
    receiveMs: intervalMs,
    multiplier,
    passive: false,
    echoMs: undefined,
    minimumTtl: 254,
  } as const
  return peerText({ sourceAddress: own, holdTimeSeconds: holdSeconds, bfd })
}

interface FrrCounters {
  readonly peer: string
  readonly 'session-down'?: number
}

const frr: SoakedRouter = {
  name: 'frr',
  start: (lab, { intervalMs, multiplier }) =>
    lab.startFrr(`
bfd
 profile soak
  detect-multiplier ${multiplier}
  receive-interval ${intervalMs}
  transmit-interval ${intervalMs}
router bgp 65530
 bgp router-id 10.77.0.1
 no bgp ebgp-requires-policy
 neighbor ${own} remote-as 65000
 neighbor ${own} passive
 neighbor ${own} bfd
 neighbor ${own} bfd profile soak
`),
  isUp: (lab) => /"status":\s*"up"/.test(lab.vtysh('show bfd peers json')),
  downs: (lab) => {
    const all: readonly FrrCounters[] = JSON.parse(lab.vtysh('show bfd peers counters json') || '[]')
    return all.find(({ peer }) => peer === own)?.['session-down']
  },
}

const bird: SoakedRouter = {
  name: 'bird',
  start: (lab, { intervalMs, multiplier }, host) =>
    lab.startBird(
      `
router id 10.77.0.1;
protocol device {}
protocol direct { ipv4; }
protocol bfd {
  interface "*" { min rx interval ${intervalMs} ms; min tx interval ${intervalMs} ms; multiplier ${multiplier}; };
}
protocol bgp near {
  local as 65530; passive on; bfd on; neighbor ${own} as 65000; direct;
  ipv4 { import all; export none; };
}
`,
      host,
    ),
  isUp: (lab, host) => new RegExp(`^${own} .* Up `, 'm').test(lab.birdc('show bfd sessions', host)),
  downs: () => undefined,
}

export const soakedRouters: readonly SoakedRouter[] = [frr, bird]
