/**
 * A BgpSpeaker as a program of its own, so that a test can run it inside a network namespace. In: plans, one a line,
 * as JSON with addresses as text. Out: the speaker's log, and a line `bfd` for what BFD observes. SIGTERM and the end
 * of the input stop it cleanly, SIGUSR2 as for a restart.
 */
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { listInterfaces } from '@landfall/net'
import { type IP, type Prefix, parseIP, parsePrefix } from '@landfall/netip'
import { createLogger, Metrics } from '@landfall/telemetry'
import type { FromBfd } from '../../bfd/index.ts'
import type { BgpPeerPlan, SourceAddress } from '../../plan/bgp-plan.ts'
import { BgpSpeaker } from '../index.ts'
import type { PeerText, PlanText } from './plan-text.ts'

const logger = createLogger({ level: 'debug' })
const thread = new Worker(new URL('../../bfd/testing/bfd-thread.ts', import.meta.url))
thread.on('message', ({ message, at }: { message: FromBfd; at: number }) => {
  speaker.observedBfd(message)
  const tookMs = performance.timeOrigin + performance.now() - at
  if (message.kind === 'counts') logger.info('bfdCounts', { ...message.sessions })
  else logger.info('bfd', { ...message, kind: undefined, what: message.kind, tookMs })
})
const speaker = new BgpSpeaker({
  logger,
  metrics: new Metrics('test'),
  nodeName: process.argv[2] ?? 'node',
  interfaces: listInterfaces,
  ...(process.argv[3] === undefined ? {} : { listenPort: Number(process.argv[3]) }),
  bfd: (message) => thread.postMessage(message, []),
  // As long as a test may take to see it.
  retireMs: 4000,
})

async function stop(restart = false): Promise<void> {
  await speaker.stop({ restart, drainMs })
  const ended = new Promise((resolve) => thread.once('exit', resolve))
  thread.postMessage('stop', [])
  await ended
  process.exit(0)
}

process.once('SIGTERM', () => void stop())
process.once('SIGUSR2', () => void stop(true))
let drainMs = 0
const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const plan = JSON.parse(line) as PlanText
  drainMs = plan.drainMs ?? drainMs
  speaker.apply({ peers: plan.peers.map(readPeer), retiring: plan.retiring ?? false })
  if (plan.busy !== undefined) keepBusy(plan.busy)
})
lines.on('close', () => void stop())

/** The main thread does nothing else for half of the time. */
function keepBusy(ms: number): void {
  const block = () => {
    logger.info('busy', { ms })
    for (const end = performance.now() + ms; performance.now() < end; );
  }
  block()
  setInterval(block, 2 * ms)
}

function readPeer(text: PeerText): BgpPeerPlan {
  const { address, sourceAddress, routerID, routes, ...rest } = text
  return {
    ...rest,
    ...(address === undefined ? {} : { address: ip(address) }),
    ...(sourceAddress === undefined ? {} : { sourceAddress: source(sourceAddress) }),
    ...(routerID === undefined ? {} : { routerID: ip(routerID) }),
    routes: routes.map((route) => ({ ...route, prefix: prefix(route.prefix) })),
  }
}

function source(text: string): SourceAddress {
  if (text.includes('/')) return { kind: 'prefix', prefix: prefix(text) }
  return /[.:]/.test(text) ? { kind: 'address', ip: ip(text) } : { kind: 'interface', name: text }
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
