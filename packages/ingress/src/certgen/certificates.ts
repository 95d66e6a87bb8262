/**
 * The certificates of the control plane and of Envoy: a CA made for the two and thrown away with its key, a server
 * and a client certificate. ECDSA P-256. In: names and a lifetime. Out: PEM.
 */
import { type KeyPair, makeAuthority, makeLeaf, validFor } from '@landfall/certificates'

export type { KeyPair } from '@landfall/certificates'

export interface CertificateSet {
  readonly ca: string
  /** What `serve` shows to Envoy. */
  readonly server: KeyPair
  /** What Envoy shows to `serve`. */
  readonly client: KeyPair
}

export interface CertificateOptions {
  readonly namespace: string
  readonly lifetimeDays: number
  /** The Services by whose names the two are known; `contour` and `envoy`. */
  readonly serverName?: string
  readonly clientName?: string
  readonly now?: Date
}

export async function makeCertificates(options: CertificateOptions): Promise<CertificateSet> {
  const { serverName = 'contour', clientName = 'envoy', namespace } = options
  const validity = validFor(options.lifetimeDays, options.now)
  const authority = await makeAuthority('CN=Landfall, O=Landfall', 'ecdsa-p256', validity)
  const leaf = (service: string, usage: 'server' | 'client') =>
    makeLeaf(authority, { subject: `CN=${service}`, names: serviceNames(service, namespace), usage })
  return {
    ca: authority.certificate,
    server: await leaf(serverName, 'server'),
    client: await leaf(clientName, 'client'),
  }
}

/** The names by which a Service is called in its cluster. */
export function serviceNames(service: string, namespace: string): readonly string[] {
  return [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
  ]
}
