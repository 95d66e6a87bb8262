/** The speaker: observes the cluster and announces from its node until it is told to stop. */
import { type Cluster, hasStatus, openCluster, podType } from '@landfall/kube'
import { Health, type HttpServer, Metrics, metricsRoutes, type Routes, serveHttp } from '@landfall/telemetry'
import type { OwnerReference } from './l2-status.ts'
import type { WorkerOptions } from './layer2/messages.ts'
import { readCpuQuota, readExcludes, readMemberSecret, timingFor } from './layer2-settings.ts'
import type { ListenAddress, SpeakerOptions } from './options.ts'
import { Speaker } from './speaker.ts'
import { SpeakerMetrics } from './speaker-metrics.ts'

/** Runs until the signal; resolves after a clean stop. @throws when it cannot start, or its worker failed */
export async function runSpeaker(options: SpeakerOptions): Promise<void> {
  const { logger, version, signal, kubeconfig } = options
  if (options.node === '') throw new Error('the name of the node is missing')
  const metrics = new Metrics(version)
  const speakerMetrics = new SpeakerMetrics(metrics)
  const health = new Health()
  const cluster = await openCluster({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    logger,
    userAgent: `landfall-speaker/${version}`,
  })
  const namespace = options.namespace || cluster.namespace || 'metallb-system'
  health.setReady('sync', false, 'the first list is not complete')
  health.setReady('layer2', false, 'the other speakers are being heard')
  const servers = [
    await serve(options.metrics, { ...metricsRoutes(metrics), ...health.routes() }),
    await serve(options.health, health.routes()),
  ]
  const worker = workerOptions(options)
  speakerMetrics.setAuthenticated(worker.secret !== undefined)
  logger.info('startup', { version, namespace, node: options.node, ...worker.timing }, 'speaker is running')
  if (worker.secret === undefined)
    logger.warn(
      'heartbeatsNotAuthenticated',
      {},
      'there is no memberlist secret: heartbeats are believed by source',
    )

  let owner: Promise<OwnerReference | undefined> | undefined
  const failure = Promise.withResolvers<never>()
  const speaker = new Speaker({
    options,
    namespace,
    cluster,
    metrics,
    speakerMetrics,
    health,
    worker,
    owner: () => {
      owner ??= findOwner(cluster, namespace, options).catch((error: unknown) => {
        owner = undefined
        throw error
      })
      return owner
    },
    onFailure: (error, hung) => {
      logger.error('workerFailed', { error }, 'the layer 2 worker failed, the speaker ends')
      // A thread that hangs would keep every orderly end waiting; the peers and the other speakers see us gone.
      if (hung) process.kill(process.pid, 'SIGKILL')
      failure.reject(error)
    },
  })
  const ended = aborted(signal)
  await Promise.race([speaker.start(), ended, failure.promise])
  await Promise.race([ended, failure.promise])
  logger.info('shutdown', {}, 'speaker is stopping')
  await speaker.stop()
  for (const server of servers) await server?.close()
  cluster.close()
}

function workerOptions(options: SpeakerOptions): WorkerOptions {
  const { heartbeat } = options
  return {
    node: options.node,
    timing: heartbeat.timing ?? timingFor(readCpuQuota()),
    port: heartbeat.port,
    bindAddress: heartbeat.bindAddress,
    secret: readMemberSecret(heartbeat.secretPath),
    excludes: readExcludes(options.excludeFile),
    refreshMs: options.refreshSeconds * 1000,
  }
}

/** The DaemonSet of the own pod; undefined when there is no such pod, or it may not be read. */
async function findOwner(
  cluster: Cluster,
  namespace: string,
  { podName, logger }: SpeakerOptions,
): Promise<OwnerReference | undefined> {
  if (podName === '') return undefined
  try {
    const pod = await cluster.get(podType, `${namespace}/${podName}`)
    const owners = pod.metadata['ownerReferences']
    if (!Array.isArray(owners)) return undefined
    const owner: OwnerReference | undefined = owners.find((each) => each.kind === 'DaemonSet')
    if (owner === undefined) return undefined
    const { apiVersion, kind, name, uid } = owner
    return { apiVersion, kind, name, uid }
  } catch (error) {
    if (!hasStatus(error, 403, 404)) throw error
    logger.warn(
      'noOwner',
      { pod: podName, error },
      'the own pod cannot be read: what is written has no owner',
    )
    return undefined
  }
}

async function serve({ address, port }: ListenAddress, routes: Routes): Promise<HttpServer | undefined> {
  return port === 0 ? undefined : serveHttp({ address, port, routes })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
