/** 500 requests a second to all hosts of the swap, plain and secure, from both sides of the routers. */
import { lossText, lostOf, startRequests } from '../../ingress/load.ts'
import type { Lab } from '../../lab/index.ts'
import { plainHosts, secureHosts } from './swap-site.ts'

const timeoutMs = 10_000

export interface SwapLoad {
  stop(): Promise<SwapResult>
}

export interface SwapResult {
  readonly sent: number
  readonly lost: number
  /** Of each kind: why, and when the first of them were sent, by the clock. */
  readonly losses: readonly { readonly why: string; readonly at: readonly number[] }[]
  /** Kept connections that the other side closed, as it should when it goes. */
  readonly closed: number
  readonly longestMs: number
  readonly lateMs: number
}

/** On kept connections; one request in twenty has one of its own. */
export function startSwapLoad(lab: Lab, address: string): SwapLoad {
  const loads = [
    { from: lab.client, tls: false, perSecond: 250 },
    { from: lab.client, tls: true, perSecond: 150 },
    { from: lab.client2, tls: false, perSecond: 100 },
  ].map(({ from, tls, perSecond }) => {
    const to = {
      address,
      port: tls ? 443 : 80,
      tls,
      hosts: tls ? secureHosts : plainHosts,
      paths: ['/health'],
    }
    const load = startRequests({ ...to, perSecond, connections: 4, timeoutMs }, from.host.netns)
    return { name: `${tls ? 'secure' : 'plain'} from ${from.name}`, load }
  })
  return {
    stop: async () => {
      const all = await Promise.all(
        loads.map(async ({ name, load }) => ({ name, result: await load.stop() })),
      )
      const results = all.map(({ result }) => result)
      return {
        sent: results.reduce((sum, { sent }) => sum + sent, 0),
        lost: results.reduce((sum, result) => sum + lostOf(result), 0),
        losses: all
          .filter(({ result }) => lostOf(result) > 0)
          .map(({ name, result }) => ({
            why: `${name}: ${lossText(result)}`,
            at: result.failed.map(({ atMs }) => result.startedAt + atMs),
          })),
        closed: results.reduce((sum, { closed }) => sum + closed, 0),
        longestMs: Math.max(...results.map(({ longestMs }) => longestMs)),
        lateMs: Math.max(...results.map(({ tickerLateMs }) => tickerLateMs)),
      }
    },
  }
}
