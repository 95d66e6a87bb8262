/**
 * `rotation`: the certificate of a host, the authorities of its clients, the list of what those took back and the
 * authorities of its backends are replaced under 500 requests a second on kept connections. None of them may be lost or
 * closed, and what is new holds soon.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Handshake, handshake } from '../../ingress/handshake.ts'
import { lossText, lostOf, startRequests } from '../../ingress/load.ts'
import { hostOf, names, type ProxyOptions, proxyObject } from '../../ingress/objects.ts'
import { startSite } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import { type Authority, makeAuthority, type Pair } from '../../scenarios/certificate.ts'
import { median } from '../drill.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { limited, type Part } from './part.ts'
import { mostMs, pairData, put, RevocationLists, secrets, since } from './rotated-secrets.ts'
import { SecureBackends } from './secure-backends.ts'

const hosts = 20
const perSecond = 500
const usualTimes = 20
const limitMs = 1000
const pauseMs = 100
const [target = ''] = names('h', 1)
const host = hostOf(target)

interface Stage {
  readonly site: IngressSite
  readonly own: Authority
  /** Of clients that are always welcome. */
  readonly client: Pair
  readonly backends: SecureBackends | undefined
  readonly lists: RevocationLists
  /** Whether a new connection is as it should be, over and over until it is; the time that took. */
  readonly seen: (client: Pair, isIt: (shown: Handshake | undefined) => boolean) => Promise<void>
}

/** One replacement, from the answer of the API server until what is new holds. */
type Rotation = (stage: Stage, n: number) => Promise<number>

interface Kind {
  readonly clients?: ProxyOptions['clients']
  /** Its backends speak TLS, too. */
  readonly secureBackends?: true
  readonly rotate: Rotation
}

const kinds: Readonly<Record<string, Kind>> = {
  'the certificate': { rotate: rotateCertificate },
  'the authorities of clients': { clients: { caSecret: secrets.authorities }, rotate: rotateAuthorities() },
  'the list of revoked certificates': {
    clients: { caSecret: secrets.authorities, crlSecret: secrets.list },
    rotate: rotateList(),
  },
  'the authorities of backends': {
    secureBackends: true,
    rotate: rotateBackendAuthorities,
  },
}

/** Everything on one host, in turn. */
function everything(): Kind {
  const all = [rotateCertificate, rotateAuthorities(), rotateList(), rotateBackendAuthorities]
  return {
    clients: { caSecret: secrets.authorities, crlSecret: secrets.list },
    secureBackends: true,
    rotate: (stage, n) => {
      // Of each kind the first, then the second of each.
      const one = all[n % all.length] ?? rotateCertificate
      return one(stage, Math.floor(n / all.length))
    },
  }
}

/** Each of the kinds so often, on one host; without the limits of time. */
export async function rotateEverything(times: number): Promise<Readonly<Record<string, number>>> {
  const { figures } = await trial(everything(), 4 * times, () => {})
  return figures
}

export const rotation: Part = {
  about: 'certificates, authorities of clients and backends, and lists of revoked certificates under load',
  run: async (o) => {
    for (const [what, kind] of Object.entries(kinds))
      await repeat(o, 'rotation', what, 1, (note) => trial(kind, o.times ?? usualTimes, note))
  },
}

async function trial(kind: Kind, times: number, note: Parameters<Trial>[0]): ReturnType<Trial> {
  const own = await makeAuthority()
  const site = await startSite(names('h', hosts), note)
  const ticker = startTicker()
  let backends: SecureBackends | undefined
  try {
    if (kind.secureBackends) backends = await SecureBackends.start(site, own)
    const stage = await prepare(site, own, kind.clients, backends)
    const load = startRequests({
      port: site.ports.https,
      tls: true,
      client: stage.client,
      hosts: [host],
      paths: ['/', '/app'],
      perSecond,
      connections: 32,
      timeoutMs: 10_000,
    })
    const took: number[] = []
    let [before, drained, lateMs] = [0, 0, 0]
    try {
      await sleep(2000)
      before = await drains(site)
      ticker.take()
      for (let n = 0; n < times; n++) {
        note(`${n + 1} of ${times}`)
        took.push(await kind.rotate(stage, n))
        await sleep(pauseMs)
      }
      lateMs = ticker.take()
      await sleep(1000)
      drained = (await drains(site)) - before
    } finally {
      // Without it the generator would go on, and this process with it.
      await load.stop()
    }
    const result = await load.stop()
    const lost = lostOf(result)
    return {
      figures: {
        replaced: took.length,
        requests: result.sent,
        lost,
        closed: result.closed,
        drained,
        'max median (ms)': median(took),
        'max longest (ms)': Math.max(...took),
      },
      complaints: [
        ...limited('what is new holds', Math.max(...took), limitMs),
        ...(lost > 0 ? [`${lost} requests lost: ${lossText(result)}`] : []),
        ...(result.closed > 0 ? [`${result.closed} kept connections were closed`] : []),
        ...(drained > 0 ? [`Envoy drained or changed its listener ${drained} times`] : []),
      ],
      lateMs: Math.max(lateMs, result.tickerLateMs),
    }
  } finally {
    ticker.stop()
    backends?.stop()
    await site.stop()
  }
}

async function prepare(
  site: IngressSite,
  own: Authority,
  clients: Kind['clients'],
  backends: SecureBackends | undefined,
): Promise<Stage> {
  const client = await own.pair('client')
  await put(site, 'create', secrets.pair, pairData(await own.pair(host)))
  await put(site, 'create', secrets.authorities, { 'ca.crt': own.pem })
  const lists = await RevocationLists.create(site, await own.revoke([]))
  const options = {
    secret: secrets.pair,
    ...(clients === undefined ? {} : { clients }),
    ...(backends === undefined ? {} : { services: backends.services }),
  }
  await site.objects.replace('proxy', proxyObject(target, options))
  const stage: Stage = {
    site,
    own,
    client,
    backends,
    lists,
    seen: async (shown, isIt) => {
      const end = performance.now() + mostMs
      while (!isIt(await handshake(site.ports.https, host, shown))) {
        if (performance.now() > end) throw new Error(`what is new does not hold after ${mostMs} ms`)
        await sleep(1)
      }
    },
  }
  await stage.seen(client, welcome)
  await backends?.serving(host, client)
  return stage
}

async function rotateCertificate({ site, own, client, seen }: Stage): Promise<number> {
  const known = (await handshake(site.ports.https, host, client))?.fingerprint
  const pair = await own.pair(host)
  return await since(
    () => put(site, 'replace', secrets.pair, pairData(pair)),
    () => seen(client, (shown) => shown !== undefined && shown.fingerprint !== known),
  )
}

/** A second authority each time, and the one of the time before is gone. */
function rotateAuthorities(): Rotation {
  let before: Pair | undefined
  return async ({ site, own, lists, seen }, n) => {
    const second = await makeAuthority(`second ${n}`)
    const [come, gone] = [await second.pair('other'), before]
    before = come
    // Where lists are asked for, nobody is welcome whose authority has none.
    await lists.put({ ofSecond: await second.revoke([]) })
    return await since(
      () => put(site, 'replace', secrets.authorities, { 'ca.crt': `${own.pem}\n${second.pem}` }),
      async () => {
        await seen(come, welcome)
        if (gone !== undefined) await seen(gone, refused)
      },
    )
  }
}

/** A client is revoked, and welcome again. */
function rotateList(): Rotation {
  let other: Pair | undefined
  return async ({ own, lists, seen }, n) => {
    const client = (other ??= await own.pair('other'))
    const revokes = n % 2 === 0
    const ofOwn = await own.revoke(revokes ? [client.serial] : [])
    return await since(
      () => lists.put({ ofOwn }),
      () => seen(client, revokes ? refused : welcome),
    )
  }
}

async function rotateBackendAuthorities({ backends }: Stage, n: number): Promise<number> {
  if (backends === undefined) throw new Error('there are no backends that show certificates')
  return await backends.rotate(n)
}

const welcome = (shown: Handshake | undefined): boolean => shown?.status === 200
const refused = (shown: Handshake | undefined): boolean => shown === undefined

const counters = [
  'listener_manager.listener_modified',
  'listener_manager.listener_in_place_updated',
  'listener_manager.total_filter_chains_draining',
  'http.ingress_https.downstream_cx_drain_close',
]

/** How often Envoy changed the listener, or asked a connection of it to go. */
async function drains(site: IngressSite): Promise<number> {
  const lines = (await site.envoy.admin('/stats')).matchAll(/^(\S+): (\d+)$/gm)
  return [...lines].reduce(
    (sum, [, name = '', value]) => sum + (counters.includes(name) ? Number(value) : 0),
    0,
  )
}
