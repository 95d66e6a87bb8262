/** The speaker: observes the cluster and announces from its node until it is told to stop. */
import { type Cluster, openCluster, scrapeReview } from '@landfall/kube'
import { Health, type HttpServer, Metrics, serveHttp, serveMetrics } from '@landfall/telemetry'
import type { WorkerOptions } from './layer2/messages.ts'
import { readCpuQuota, readExcludes, readMemberSecret, timingFor } from './layer2-settings.ts'
import type { SpeakerOptions } from './options.ts'
import { type Rebalance, rebalanceRoute } from './rebalance-request.ts'
import { Speaker } from './speaker.ts'
import { SpeakerMetrics } from './speaker-metrics.ts'
import { ownerLookup } from './status/owner-lookup.ts'

/** What the parts of one run share. */
interface Run {
  readonly options: SpeakerOptions
  readonly namespace: string
  readonly cluster: Cluster
  readonly metrics: Metrics
  readonly speakerMetrics: SpeakerMetrics
  readonly health: Health
  readonly worker: WorkerOptions
  /** What people ask of the speaker, once there is one. */
  readonly asked: { rebalance: Rebalance | undefined }
}

/**
 * Runs until the signal; resolves after a clean stop. However it ends, nothing that it opened stays open.
 * @throws when it cannot start, or its worker failed
 */
export async function runSpeaker(options: SpeakerOptions): Promise<void> {
  const { logger, version, kubeconfig } = options
  if (options.node === '') throw new Error('the name of the node is missing')
  const worker = await workerOptions(options)
  const metrics = new Metrics(version)
  const cluster = await openCluster({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    logger,
    userAgent: `landfall-speaker/${version}`,
  })
  const namespace = options.namespace || cluster.namespace || 'metallb-system'
  const speakerMetrics = new SpeakerMetrics(metrics)
  const asked = { rebalance: undefined }
  const run: Run = {
    options,
    namespace,
    cluster,
    metrics,
    speakerMetrics,
    health: new Health(),
    worker,
    asked,
  }
  const servers: HttpServer[] = []
  try {
    await serve(run, servers)
    sayStart(run)
    await announce(run)
  } finally {
    await Promise.all(servers.map((server) => server.close()))
    cluster.close()
  }
}

/** Adds each server as soon as it listens. */
async function serve(
  { options, cluster, metrics, health, asked }: Run,
  servers: HttpServer[],
): Promise<void> {
  health.setReady('sync', false, 'the first list is not complete')
  health.setReady('layer2', false, 'the other speakers are being heard')
  const { metrics: listener, logger } = options
  const scrapes = await serveMetrics({ listener, metrics, health, review: scrapeReview(cluster), logger })
  if (scrapes !== undefined) servers.push(scrapes)
  const { address, port } = options.health
  const posts = rebalanceRoute(() => asked.rebalance)
  if (port !== 0) servers.push(await serveHttp({ address, port, routes: health.routes(), posts }))
}

function sayStart({ options: { logger, version, node }, namespace, worker, speakerMetrics }: Run): void {
  speakerMetrics.setAuthenticated(worker.secret !== undefined)
  logger.info('startup', { version, namespace, node, ...worker.timing }, 'speaker is running')
  if (worker.secret !== undefined) return
  const message = 'there is no memberlist secret: heartbeats are believed by source'
  logger.warn('heartbeatsNotAuthenticated', {}, message)
}

async function announce(run: Run): Promise<void> {
  const { options, health } = run
  const { logger, signal } = options
  const failure = Promise.withResolvers<never>()
  const speaker = new Speaker({
    ...run,
    owner: ownerLookup({ ...options, ...run }),
    onFailure: (error, hung) => {
      logger.error('workerFailed', { error }, 'the layer 2 worker failed, the speaker ends')
      // A thread that hangs would keep every orderly end waiting; the peers and the other speakers see us gone.
      if (hung) process.kill(process.pid, 'SIGKILL')
      health.setLive('layer2', false, 'the worker failed')
      failure.reject(error)
    },
  })
  run.asked.rebalance = () => speaker.rebalance()
  const ended = aborted(signal)
  try {
    await Promise.race([speaker.start(), ended, failure.promise])
    await Promise.race([ended, failure.promise])
  } finally {
    logger.info('shutdown', {}, 'speaker is stopping')
    await speaker.stop()
  }
}

async function workerOptions(options: SpeakerOptions): Promise<WorkerOptions> {
  const { heartbeat } = options
  return {
    node: options.node,
    timing: heartbeat.timing ?? timingFor(readCpuQuota()),
    port: heartbeat.port,
    bindAddress: heartbeat.bindAddress,
    secret: readMemberSecret(heartbeat.secretPath, heartbeat.secretKey),
    excludes: await readExcludes(options.excludeFile),
    refreshMs: options.refreshSeconds * 1000,
    partition: options.layer2.partition,
    preferAfterMs: options.layer2.preferAfterMs,
    rebalanceMs: options.layer2.rebalanceMs,
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
