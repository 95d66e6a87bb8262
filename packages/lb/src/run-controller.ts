/** The controller: elects a leader, and lets it assign addresses for as long as it leads. */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, hasStatus, LeaderElection, openCluster, scrapeReview } from '@landfall/kube'
import {
  describeError,
  Health,
  type HttpServer,
  type Logger,
  Metrics,
  type Routes,
  serveHttp,
  serveMetrics,
} from '@landfall/telemetry'
import { nameForClass } from './class-name.ts'
import { ControllerMetrics } from './controller-metrics.ts'
import type { ControllerOptions, ListenAddress } from './options.ts'
import { Term } from './term.ts'
import { filesIn, secretOf, Webhooks } from './webhook/index.ts'

export const leaseName = 'landfall-controller'

/** Who does not lead after this time follows another, and is as ready as it will be. */
const electionMs = 3000
const reachMs = 300
/** Webhooks that are not served after this time hold up nobody any longer. */
const webhooksMs = 10_000

/** Runs until the signal; resolves after a clean stop. @throws when there is no cluster or a port is taken */
export async function runController(options: ControllerOptions): Promise<void> {
  const { logger, version, signal, kubeconfig } = options
  const metrics = new Metrics(version)
  const health = new Health()
  const userAgent = `landfall-controller/${version}`
  const cluster = await openCluster({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    logger,
    metrics,
    userAgent,
  })
  const namespace = options.namespace || cluster.namespace || 'metallb-system'
  const controllerMetrics = new ControllerMetrics(metrics)
  const servers = [
    await serveMetrics({ listener: options.metrics, metrics, health, review: scrapeReview(cluster), logger }),
    await serve(options.health, health.routes()),
  ]

  let term: Term | undefined
  const election = new LeaderElection({
    cluster,
    namespace,
    // Controllers of different classes lead side by side.
    name: nameForClass(leaseName, options.loadBalancerClass),
    identity: options.identity || hostname(),
    logger,
    metrics,
    onStarted: async () => {
      health.setReady('sync', false, 'the first list is not complete')
      term = new Term({
        cluster,
        namespace,
        loadBalancerClass: options.loadBalancerClass,
        configMap: options.configMap,
        poolRemovalGraceMs: options.poolRemovalGraceMs,
        memberlistSecret: options.memberlistSecret,
        deployment: options.deployment,
        logger,
        metrics: controllerMetrics,
        mayWrite: () => election.isLeader(),
      })
      await term.start()
      health.setReady('sync', true)
    },
    onStopped: () => {
      health.setReady('sync', true)
      void term?.stop()
      term = undefined
    },
  })
  logger.info('startup', { version, namespace }, 'controller is running')
  health.setReady('sync', false, 'the API server was not reached yet')
  await reached(cluster, logger, signal)
  const mayWrite = () => !options.allocates || election.isLeader()
  const answered = answerWebhooks({ options, cluster, namespace, mayWrite, health })
  if (!signal.aborted && options.allocates) election.start()
  await Promise.race([aborted(signal), sleep(electionMs, undefined, { ref: false })])
  if (term === undefined) health.setReady('sync', true)

  await aborted(signal)
  logger.info('shutdown', {}, 'controller is stopping')
  const last = term
  await last?.stop()
  if (options.allocates) await election.stop()
  await answered
  for (const server of servers) await server?.close()
  cluster.close()
}

/** Until the signal. Not ready before it is known whether a webhook is registered, and is answered then. */
async function answerWebhooks(o: {
  readonly options: ControllerOptions
  readonly cluster: Cluster
  readonly namespace: string
  readonly mayWrite: () => boolean
  readonly health: Health
}): Promise<void> {
  const { cluster, namespace, mayWrite, health } = o
  const { logger, signal, webhooks } = o.options
  if (webhooks === undefined) return
  const { secretName: name, certificateFolder: folder } = webhooks
  const names = [`${webhooks.serviceName}.${namespace}.svc`]
  const certificate =
    folder === undefined ? secretOf({ cluster, namespace, name, names, mayWrite, logger }) : filesIn(folder)
  health.setReady('webhooks', false, 'the registered webhooks are not answered yet')
  const ready = () => health.setReady('webhooks', true)
  const late = setTimeout(ready, webhooksMs)
  late.unref()
  const running = new Webhooks({ ...webhooks, cluster, logger, signal, certificate, mayWrite })
  await running.run((look) => look !== 'waiting' && ready())
  clearTimeout(late)
}

/** Resolves with the first answer of the API server. */
async function reached(cluster: Cluster, logger: Logger, signal: AbortSignal): Promise<void> {
  let said = false
  while (!signal.aborted) {
    try {
      await cluster.request({ method: 'GET', path: '/version' })
      return
    } catch (error) {
      if (!hasStatus(error, 0)) return
      if (!said) logger.warn('apiServerNotReached', { error: describeError(error) })
      said = true
    }
    await sleep(reachMs, undefined, { signal }).catch(() => {})
  }
}

async function serve({ address, port }: ListenAddress, routes: Routes): Promise<HttpServer | undefined> {
  return port === 0 ? undefined : serveHttp({ address, port, routes })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
