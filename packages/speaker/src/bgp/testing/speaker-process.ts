/**
 * A BgpSpeaker as a program of its own, so that a test can run it inside a network namespace. In: plans, one a line,
 * as JSON with addresses as text. Out: the speaker's log. SIGTERM and the end of the input stop it cleanly.
 */
import { createInterface } from 'node:readline'
import { listInterfaces } from '@landfall/net'
import { type IP, type Prefix, parseIP, parsePrefix } from '@landfall/netip'
import { createLogger, Metrics } from '@landfall/telemetry'
import type { BgpPeerPlan } from '../../plan/bgp-plan.ts'
import { BgpSpeaker } from '../index.ts'
import type { PeerText, PlanText } from './plan-text.ts'

const speaker = new BgpSpeaker({
  logger: createLogger({ level: 'debug' }),
  metrics: new Metrics('test'),
  nodeName: process.argv[2] ?? 'node',
  interfaces: listInterfaces,
})

async function stop(): Promise<void> {
  await speaker.stop()
  process.exit(0)
}

process.once('SIGTERM', () => void stop())
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => speaker.apply({ peers: (JSON.parse(line) as PlanText).peers.map(readPeer) }))
lines.on('close', () => void stop())

function readPeer(text: PeerText): BgpPeerPlan {
  const { address, sourceAddress, routerID, routes, ...rest } = text
  return {
    ...rest,
    address: ip(address),
    ...(sourceAddress === undefined ? {} : { sourceAddress: ip(sourceAddress) }),
    ...(routerID === undefined ? {} : { routerID: ip(routerID) }),
    routes: routes.map((route) => ({ ...route, prefix: prefix(route.prefix) })),
  }
}

function ip(text: string): IP {
  const parsed = parseIP(text)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text)
  if (parsed === undefined) throw new Error(`no prefix: ${text}`)
  return parsed
}
