/** The Secrets that carry the certificates, and the files of `--pem`. Pure: certificates in, objects out. */
import type { RawObject } from '@landfall/kube'
import type { CertificateSet, KeyPair } from './certificates.ts'

export interface SecretOptions {
  readonly namespace: string
  /** Appended to each name, for Jobs that make a new set with each release. */
  readonly nameSuffix: string
  /** `compact`: each Secret with its CA. `legacy`: a Secret `cacert` besides. */
  readonly format: 'compact' | 'legacy'
}

/** Key of the certificate that is shown next, while a Secret is being renewed. */
export const nextCertificate = 'next.crt'

/** Where the legacy format names the authority for whoever mounts it apart. */
export const legacyAuthorities = { name: 'cacert', key: 'cacert.pem' } as const

export const madeHere = { label: 'app.kubernetes.io/managed-by', value: 'landfall-certgen' } as const

function secret(name: string, type: string, data: Readonly<Record<string, string>>, options: SecretOptions) {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `${name}${options.nameSuffix}`,
      namespace: options.namespace,
      labels: { app: 'contour', [madeHere.label]: madeHere.value },
    },
    type,
    data: Object.fromEntries(encoded),
  } satisfies RawObject
}

export function makeSecrets(set: CertificateSet, options: SecretOptions): readonly RawObject[] {
  const tls = (name: string, { certificate, key }: KeyPair) =>
    secret(name, 'kubernetes.io/tls', { 'ca.crt': set.ca, 'tls.crt': certificate, 'tls.key': key }, options)
  const { name, key } = legacyAuthorities
  const legacy = options.format === 'legacy' ? [secret(name, 'Opaque', { [key]: set.ca }, options)] : []
  return [...legacy, tls('contourcert', set.server), tls('envoycert', set.client)]
}

export function makePemFiles(set: CertificateSet): Readonly<Record<string, string>> {
  return {
    'cacert.pem': set.ca,
    'contourcert.pem': set.server.certificate,
    'contourkey.pem': set.server.key,
    'envoycert.pem': set.client.certificate,
    'envoykey.pem': set.client.key,
  }
}
