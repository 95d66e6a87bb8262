/** What `landfall bootstrap` is told. */
import type { Logger } from '@landfall/telemetry'

export interface BootstrapOptions {
  readonly logger: Logger
  /** The file to write; `-` is standard output. */
  readonly path: string
  /** Envoy's node id; ENVOY_POD_NAME, else the host's name. */
  readonly nodeId: string
  /** Envoy's node cluster; ENVOY_POD_NAMESPACE, else `projectcontour`. */
  readonly nodeCluster: string
  /** The control plane: a name or an address. Default 127.0.0.1. */
  readonly xdsAddress: string
  /** Default 8001. */
  readonly xdsPort: number
  /** The admin interface: the path of a unix socket, default /admin/admin.sock. */
  readonly adminAddress: string
  /** Which addresses of the control plane's name are used. Default auto. */
  readonly dnsLookupFamily: 'auto' | 'v4' | 'v6' | 'all'
  /** Client certificate for the control plane. None of the three: no TLS. */
  readonly tls: { readonly ca: string; readonly certificate: string; readonly key: string } | undefined
  /**
   * A directory into which the certificates' paths are written as SDS resources, so that Envoy sees them change.
   * Undefined: the paths stand in the bootstrap, and Envoy reads them at its start only.
   */
  readonly resourcesDirectory: string | undefined
  /** Heap above which Envoy sheds load, in bytes; undefined: no limit. */
  readonly maximumHeapBytes: number | undefined
  /** Client connections over all listeners; undefined: no limit. */
  readonly maximumDownstreamConnections: number | undefined
}
