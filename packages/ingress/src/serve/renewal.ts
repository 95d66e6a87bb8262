/** Renewal of the xDS certificates by the leader: the cluster's Secrets, its replicas, and whom to warn. */
import { type Cluster, EventRecorder, endpointSliceType } from '@landfall/kube'
import type { Logger, Metrics } from '@landfall/telemetry'
import type { NewSet } from '../renewal/plan.ts'
import { probe } from '../renewal/probe.ts'
import { Renewer } from '../renewal/renewer.ts'
import { ClusterSecrets } from '../renewal/secrets.ts'

export interface RenewalOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly metrics: Metrics
  /** Of the Secrets and of the Service `contour`: the program's own. */
  readonly namespace: string
  readonly shownUntil: () => Date | undefined
}

export function makeRenewer(options: RenewalOptions): Renewer {
  const { cluster, logger, metrics, namespace, shownUntil } = options
  const secrets = new ClusterSecrets(cluster, namespace)
  const events = new EventRecorder({ cluster, component: 'contour', logger })
  return new Renewer({
    logger,
    metrics,
    secrets,
    make: (days) => makeSet(namespace, days),
    replicas: () => replicasOf(cluster, namespace),
    probe,
    shownUntil,
    warn: (message) => {
      const about = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'contourcert', uid: '' }
      events.record(about, { type: 'Warning', reason: 'CertificateExpiring', message })
    },
    now: () => Date.now(),
  })
}

/** What makes certificates takes 10 MB, and is needed some times a year. */
async function makeSet(namespace: string, lifetimeDays: number): Promise<NewSet> {
  const { makeCertificates } = await import('../certgen/certificates.ts')
  const { ca, server, client } = await makeCertificates({ namespace, lifetimeDays })
  return { authority: ca, server, client }
}

/** The ready ones behind the Service that Envoys call. */
async function replicasOf(cluster: Cluster, namespace: string): Promise<readonly string[]> {
  const labelSelector = 'kubernetes.io/service-name=contour'
  const { items } = await cluster.list(endpointSliceType, { namespace, labelSelector })
  const slices = items.map((raw) => endpointSliceType.project(raw))
  const family = slices[0]?.addressType
  return slices
    .filter(({ addressType }) => addressType === family)
    .flatMap(({ endpoints, ports }) => {
      const port = ports.find(({ name }) => name === 'xds' || ports.length === 1)?.port
      if (port === undefined) return []
      return endpoints.flatMap(({ ready, addresses: [address] }) =>
        ready && address !== undefined
          ? [address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`]
          : [],
      )
    })
}
