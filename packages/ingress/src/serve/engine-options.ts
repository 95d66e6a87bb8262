/** What of the options translation reads. */
import { defaultDagOptions } from '../dag/options.ts'
import type { EngineOptions } from '../engine/engine.ts'
import { type BindAddress, defaultListenerOptions } from '../envoy/options.ts'
import type { ServeOptions } from '../options.ts'

export function engineOptions(options: ServeOptions): EngineOptions {
  const bind = (at: BindAddress): BindAddress =>
    at.address === '::' && !options.ipv6 ? { ...at, address: '0.0.0.0' } : at
  return {
    classes: options.ingressClasses,
    layout: 'scoped',
    dag: {
      ...defaultDagOptions,
      rootNamespaces: options.rootNamespaces,
      disablePermitInsecure: options.disablePermitInsecure,
    },
    listeners: {
      ...defaultListenerOptions,
      http: bind(options.envoyHttp),
      https: bind(options.envoyHttps),
      stats: bind(options.envoyStats),
      adminPort: options.envoyAdminPort,
      httpAccessLog: options.httpAccessLog,
      httpsAccessLog: options.httpsAccessLog,
      useProxyProtocol: options.useProxyProtocol,
    },
  }
}
