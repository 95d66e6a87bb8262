/**
 * `node stage-main.ts JSON`: a ServicesStage with so many Services, and what is measured on it, a line of JSON each. Times
 * are of the epoch where others are to be compared with them. Run by `stage-run.ts` inside a network namespace.
 */
import { type Cluster, pathOf, type RawObject, serviceType } from '@landfall/kube'
import { until } from '@landfall/speaker/testing'
import { balancer, names, namespace } from '../../allocator/services.ts'
import { startTicker } from '../ticker.ts'
import { type Router, ServicesStage } from './stage.ts'

export interface StageOrder {
  readonly count: number
  /** So many Services more, one at a time. */
  readonly creates: number
  /** And so many while the routers are there. */
  readonly besides: number
  /** So often the speaker is ended by SIGTERM and started. */
  readonly restarts: number
  /** Beside the receiver, once it was measured alone. */
  readonly routers: readonly Router[]
}

export interface Created {
  readonly routeMs: number
  readonly apiMs: number
  readonly lateMs: number
  readonly tries: number
}

export type StageLine =
  | { readonly kind: 'note'; readonly text: string }
  /** From the request that creates a Service until the receiver had its route, and the same chain without us. */
  | ({ readonly kind: 'created' } & Created)
  /** The same with the routers there; `at` is when the request was sent. */
  | {
      readonly kind: 'beside'
      readonly prefix: string
      readonly at: number
      readonly routeMs: number
      readonly apiMs: number
    }
  | { readonly kind: 'stopped'; readonly ms: number; readonly lateMs: number }
  | { readonly kind: 'started'; readonly ms: number; readonly lateMs: number }
  | { readonly kind: 'done' }

const order: StageOrder = JSON.parse(process.argv[2] ?? '{}')
const pauseMs = 300
/** Of a class that nobody serves. */
const foreign = { loadBalancerClass: 'drill.example/none' }
const limitMs = 30_000
const mostTries = 3
const ticker = startTicker()

const stage = await ServicesStage.start()
try {
  // What is said of each Service names its peers: to add one later is to write all of that anew.
  if (order.creates === 0) await addRouters()
  note(`${order.count} Services`)
  await stage.provide(order.count)
  await stage.startSpeaker()
  await stage.announced()
  note('until nothing is left to do')
  await stage.quiet()
  await restart()
  await createAlone()
  await createBeside()
  tell({ kind: 'done' })
} finally {
  ticker.stop()
  await stage.stop()
}

async function createAlone(): Promise<void> {
  for (const name of names('alone', order.creates)) tell({ kind: 'created', ...(await calmly(name)) })
}

async function addRouters(): Promise<void> {
  for (const router of order.routers) await stage.addRouter(router)
}

async function createBeside(): Promise<void> {
  if (order.besides === 0) return
  await stage.addEndpoints(names('beside', order.besides))
  if (order.creates > 0) await addRouters()
  note('until the routers have all')
  await stage.quiet()
  for (const name of names('beside', order.besides)) {
    const apiMs = await chain(stage.cluster, `${name}-api`)
    tell({ kind: 'beside', apiMs, ...(await created(name)) })
  }
  await pause(1000)
}

/** Again, with another Service, when this machine was too busy to tell. */
async function calmly(name: string): Promise<Created> {
  for (let tries = 1; ; tries++) {
    const one = `${name}-${tries}`
    await stage.addEndpoints([one])
    const apiMs = await chain(stage.cluster, `${one}-api`)
    ticker.take()
    const { routeMs } = await created(one)
    const lateMs = ticker.take()
    if (lateMs <= (routeMs - apiMs) / 2 || tries === mostTries) return { routeMs, apiMs, lateMs, tries }
  }
}

async function created(name: string) {
  await pause(pauseMs)
  const since = performance.now()
  const asked = stage.create(name)
  await stage.watch.addressed(name)
  const prefix = `${stage.watch.find(name)?.ips[0] ?? ''}/32`
  await until(`the route of ${name}`, () => stage.peer.announcedAt.has(prefix), limitMs)
  await asked
  const at = performance.timeOrigin + since
  return { prefix, at, routeMs: (stage.peer.announcedAt.get(prefix) ?? Number.NaN) - since }
}

/** A Service is created, seen, given an address in its status, and seen with it: what no controller can do without. */
async function chain(cluster: Cluster, name: string): Promise<number> {
  await pause(pauseMs)
  const since = performance.now()
  const made = cluster.create(serviceType, balancer(name, foreign))
  // No timer: it would be late by a millisecond or two, to our advantage.
  while (stage.watch.find(name) === undefined) await new Promise((resolve) => setImmediate(resolve))
  const raw: RawObject = await made
  const addressed = stage.watch.addressed(name)
  const path = `${pathOf(serviceType, { namespace, name })}/status`
  const body = { ...raw, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
  await cluster.request({ method: 'PUT', path, body })
  return (await addressed) - since
}

async function restart(): Promise<void> {
  for (let n = 0; n < order.restarts; n++) {
    ticker.take()
    const since = performance.now()
    const ended = stage.speaker.end('SIGTERM')
    await until('no route', () => stage.peer.routes.size === 0, limitMs)
    tell({ kind: 'stopped', ms: performance.now() - since, lateMs: ticker.take() })
    await ended
    await stage.startSpeaker()
    const { startedAt } = stage.speaker
    await stage.announced()
    tell({ kind: 'started', ms: performance.now() - startedAt, lateMs: ticker.take() })
    await stage.quiet()
  }
}

function note(text: string): void {
  tell({ kind: 'note', text })
}

function tell(line: StageLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
