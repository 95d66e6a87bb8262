/** Settings → how `serve` runs. */

import { engineOptions } from '../configuration/engine-options.ts'
import { describeProblem, togetherProblems } from '../configuration/read.ts'
import type { Settings } from '../configuration/settings.ts'
import type { BindAddress } from '../envoy/options.ts'
import type { LiveOptions, ServeOptions, ServeStart } from '../options.ts'
import { defaultClientNames } from '../xds/client-names.ts'

type Given = Pick<
  ServeStart,
  'version' | 'signal' | 'configuration' | 'namespace' | 'leaderElection' | 'disabledFeatures'
>

/** @throws when they contradict each other */
export function serveOptions(settings: Settings, start: Given): Omit<ServeOptions, 'logger'> {
  const { version, signal, leaderElection, disabledFeatures } = start
  const http = bind(settings.metricsAddress, settings.metricsPort, { address: '::', port: 8000 })
  const health = bind(settings.healthAddress, settings.healthPort, { address: '::', port: 8000 })
  const [together] = togetherProblems(settings, start.configuration.kind === 'object' ? 'object' : 'file')
  if (together !== undefined) throw new Error(describeProblem(together))
  const httpTls = tlsFiles(settings.metricsCa, settings.metricsCertificate, settings.metricsKey)
  if (httpTls !== undefined && http.address === health.address && http.port === health.port) {
    throw new Error('/metrics over TLS needs a port of its own, apart from that of health')
  }
  return {
    version,
    namespace: start.namespace,
    signal,
    leaderElection,
    disabledFeatures,
    http,
    httpTls,
    health,
    debug: bind(settings.debugAddress, settings.debugPort, { address: '127.0.0.1', port: 6060 }),
    xds: bind(settings.xdsAddress, settings.xdsPort, { address: '127.0.0.1', port: 8001 }),
    xdsTls: xdsTls(settings),
    xdsClientNames: settings.xdsClientNames ?? defaultClientNames,
    ingressClasses: settings.ingressClasses ?? [],
    watchNamespaces: settings.watchNamespaces ?? [],
    envoyServiceName: settings.envoyServiceName ?? 'envoy',
    envoyServiceNamespace: settings.envoyServiceNamespace ?? start.namespace,
    live: liveOptions(settings),
  }
}

export function liveOptions(settings: Settings): LiveOptions {
  return {
    engine: engineOptions(settings),
    ingressStatusAddress: settings.ingressStatusAddress ?? '',
  }
}

function bind(address: string | undefined, port: number | undefined, otherwise: BindAddress): BindAddress {
  return { address: address ?? otherwise.address, port: port ?? otherwise.port }
}

function tlsFiles(
  ca: string | undefined,
  certificate: string | undefined,
  key: string | undefined,
): ServeOptions['httpTls'] {
  return certificate === undefined || key === undefined ? undefined : { certificate, key, ca }
}

/** Without TLS only when asked for by name. */
function xdsTls({ xdsCa, xdsCertificate, xdsKey, xdsInsecure }: Settings): ServeOptions['xdsTls'] {
  if (xdsCa !== undefined && xdsCertificate !== undefined && xdsKey !== undefined)
    return { ca: xdsCa, certificate: xdsCertificate, key: xdsKey }
  if (xdsInsecure === true) return undefined
  throw new Error('give --contour-cafile, --contour-cert-file and --contour-key-file, or --insecure')
}
