/** `landfall serve` from its start: settings from flags and configuration, then the program, then changes of them. */
import { openCluster } from '@landfall/kube'
import { Metrics } from '@landfall/telemetry'
import type { Settings } from '../configuration/settings.ts'
import type { ServeStart } from '../options.ts'
import { ConfigurationKeeper } from './configuration.ts'
import { follow, loadFile, loadObject } from './load.ts'
import { Serve } from './serve.ts'
import { liveOptions, serveOptions } from './serve-options.ts'

/** Resolves after a clean stop; rejects when it cannot start. */
export async function runServe(start: ServeStart): Promise<void> {
  const { configuration, flags, version } = start
  const file = configuration.kind === 'file' ? await loadFile(configuration.path) : undefined
  const known: Settings = { ...file?.settings, ...flags }
  const logger = start.logger(known.debug === true)
  const metrics = new Metrics(version)
  const kubeconfig = known.incluster === true ? undefined : known.kubeconfig
  const cluster = await openCluster({
    logger,
    metrics,
    userAgent: `landfall-serve/${version}`,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...requestLimits(known),
  })
  try {
    const object =
      configuration.kind === 'object'
        ? await loadObject(cluster, configuration.namespace, configuration.name)
        : undefined
    const settings: Settings = { ...known, ...object?.settings }
    const options = { ...serveOptions(settings, start), logger }
    const serve = new Serve(options, cluster, metrics)
    const keeper = new ConfigurationKeeper({
      source: configuration,
      cluster,
      logger,
      metrics,
      flags,
      started: settings,
      isLeader: () => serve.isLeader,
      onChange: (changed) => serve.configure(liveOptions(changed)),
    })
    serve.onLeading = () => keeper.writeStatus()
    serve.onShared = (facts) => keeper.tell(facts)
    const unfollow = follow(configuration, cluster, logger, (observed) => keeper.take(observed))
    try {
      await serve.run()
    } finally {
      unfollow()
      await serve.stop()
      await keeper.stop()
    }
  } finally {
    cluster.close()
  }
}

/** As client-go has them, where one of the two is given: 5 a second, 10 at once. 0 gives none. */
export function requestLimits({ kubernetesQps = 0, kubernetesBurst = 0, kubernetesDebug = 0 }: Settings) {
  const limited = kubernetesQps > 0 || kubernetesBurst > 0
  return {
    trace: kubernetesDebug > 0,
    ...(limited ? { rate: { perSecond: kubernetesQps || 5, burst: kubernetesBurst || 10 } } : {}),
  }
}
