/**
 * `losses`: everything that may change or fall between a request and its backend, each under a thousand requests a
 * second. Every answer other than 200 counts as lost; none may be.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { lossText, lostOf, type RunningRequests, startRequests } from '../../ingress/load.ts'
import { hostOf, names, namespace, proxyObject } from '../../ingress/objects.ts'
import { answers, startSite } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { makeAuthority } from '../../scenarios/certificate.ts'
import { repeat, type Trial } from '../part.ts'
import { endPods, moves } from './moves.ts'
import type { Part } from './part.ts'

const hosts = 20
const perSecond = 1000
const usualTimes = 50
const awayMs = 60_000
const secret = 'certificate'

type Losing = (site: IngressSite, times: number, note: Parameters<Trial>[0]) => Promise<void>

interface Trouble {
  readonly tls?: true
  readonly run: Losing
}

export const losses: Part = {
  about: 'each kind of change and fall under a thousand requests a second',
  run: async (o) => {
    for (const [what, trouble] of Object.entries(troubles()))
      await repeat(o, 'losses', what, 1, (note) => trial(trouble, o.times ?? usualTimes, note))
  },
}

function troubles(): Readonly<Record<string, Trouble>> {
  const moved = Object.entries(moves).map(([what, move]): [string, Trouble] => [
    what,
    {
      run: async (site, times, note) => {
        for (let n = 0; n < times; n++) {
          note(`${n + 1} of ${times}`)
          await move(site, target, n)
        }
      },
    },
  ])
  return {
    ...Object.fromEntries(moved),
    'certificates are replaced': { tls: true, run: rotate },
    'serve is killed and started': { run: (site, times, note) => restart(site, times, note, 'SIGKILL') },
    'serve is stopped and started': { run: (site, times, note) => restart(site, times, note, 'SIGTERM') },
    'the API server is away for a minute': { run: away },
  }
}

const [target = ''] = names('h', 1)

async function trial(trouble: Trouble, times: number, note: Parameters<Trial>[0]): ReturnType<Trial> {
  const all = names('h', hosts)
  const tls = trouble.tls === true
  const site = await startSite(all, note)
  try {
    if (tls) await secure(site)
    const load = requests(site, tls)
    await sleep(1000)
    await trouble.run(site, times, note)
    // Where nothing arrives any more nothing is lost either.
    await arrives(site, 'at-the-end')
    await sleep(1000)
    const result = await load.stop()
    const lost = lostOf(result)
    return {
      figures: {
        repetitions: times,
        requests: result.sent,
        lost,
        'max longest answer (ms)': result.longestMs,
      },
      complaints:
        lost > 0
          ? [
              `${lost} requests lost: ${lossText(result)}; the first at ${result.failed
                .map(({ atMs }) => atMs)
                .slice(0, 5)
                .join(', ')} ms`,
            ]
          : [],
      lateMs: result.tickerLateMs,
    }
  } finally {
    endPods()
    await site.stop()
  }
}

function requests(site: IngressSite, tls: boolean): RunningRequests {
  return startRequests({
    port: site.entry(tls).port,
    tls,
    hosts: [hostOf(target)],
    paths: ['/', '/app'],
    perSecond,
    connections: 32,
    timeoutMs: 10_000,
  })
}

async function secure(site: IngressSite): Promise<void> {
  await putCertificates(site, 'create', 1)
  await site.objects.replace('proxy', proxyObject(target, { secret }))
  await answers(site, target, true)
}

async function rotate(site: IngressSite, times: number): Promise<void> {
  await putCertificates(site, 'replace', times)
}

async function putCertificates(site: IngressSite, how: 'create' | 'replace', times: number): Promise<void> {
  const authority = await makeAuthority()
  for (let n = 0; n < times; n++) {
    const made = await authority.issue(namespace, secret, hostOf(target))
    await site.objects[how]('secret', { ...made, metadata: { namespace, name: secret } })
    await sleep(200)
  }
}

/** A change right afterwards arrives. */
async function restart(
  site: IngressSite,
  times: number,
  note: Parameters<Trial>[0],
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  for (let n = 0; n < times; n++) {
    note(`${n + 1} of ${times}`)
    await site.serve.end(signal)
    await sleep(500)
    site.startServe()
    await arrives(site, `${signal}-${n}`.toLowerCase())
  }
}

async function away(site: IngressSite, times: number, note: Parameters<Trial>[0]): Promise<void> {
  for (let n = 0; n < times; n++) {
    await site.server.killApiServer()
    note(`${n + 1} of ${times}: the API server is away`)
    await sleep(awayMs)
    await site.server.startApiServer()
    note(`${n + 1} of ${times}: the API server is back`)
    await arrives(site, `away-${n}`)
  }
}

async function arrives(site: IngressSite, name: string): Promise<void> {
  await site.objects.createServices([name])
  await site.objects.create('proxy', proxyObject(name))
  await answers(site, name)
}
