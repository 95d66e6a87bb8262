/**
 * The certificate of the webhooks: kept in a Secret that the leader makes and renews, or in files that somebody else
 * keeps. Asked at each look, so that what another replica or an administrator wrote is taken over.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cluster, hasStatus, type RawObject, secretType } from '@landfall/kube'
import type { Logger } from '@landfall/telemetry'
import { judge, lifetimeDays, type Material, secretData, type Verdict } from './material.ts'

/** What is shown, and whom the API server has to trust for it: undefined where that is not ours to say. */
export interface Shown {
  readonly certificate: string
  readonly key: string
  readonly ca: string | undefined
}

/**
 * Takes what the registered clients call us.
 * @returns undefined: there is none yet, and the leader will make one
 */
export type CertificateSource = (called: readonly string[]) => Promise<Shown | undefined>

/** `tls.crt` and `tls.key` of a folder. */
export function filesIn(folder: string): CertificateSource {
  return async () => {
    const read = (name: string) => readFile(join(folder, name), 'utf8')
    return { certificate: await read('tls.crt'), key: await read('tls.key'), ca: undefined }
  }
}

export interface SecretOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly name: string
  /** Besides what the registered clients call us. */
  readonly names: readonly string[]
  readonly mayWrite: () => boolean
  readonly logger: Logger
}

export function secretOf(options: SecretOptions): CertificateSource {
  return async (called) => {
    const { cluster, namespace, name, mayWrite } = options
    const names = [...new Set([...options.names, ...called])]
    // The roles in the field all grant `list`; a list of one also says whether there is a Secret.
    const { items } = await cluster.list(secretType, { namespace, fieldSelector: `metadata.name=${name}` })
    const verdict = judge(dataOf(items[0]), names, new Date())
    if (verdict.kind === 'good') return shown(verdict.material)
    if (!mayWrite()) return undefined
    const material = await make(verdict, names)
    await write(options, items[0], material)
    const fields = { namespace, name, reason: verdict.reason, renewed: verdict.kind }
    options.logger.info('webhookCertificateMade', fields, 'the certificate of the webhooks is new')
    return shown(material)
  }
}

function shown({ certificate, key, ca }: Material): Shown {
  return { certificate, key, ca }
}

/** RSA and ten years, so that MetalLB's controller can go on with it. */
async function make(
  verdict: Exclude<Verdict, { kind: 'good' }>,
  names: readonly string[],
): Promise<Material> {
  const { makeAuthority, makeLeaf, privateKeyOf, readAuthority, validFor } = await import(
    '@landfall/certificates'
  )
  const validity = validFor(lifetimeDays)
  const kept = verdict.kind === 'leaf' ? verdict.material : undefined
  const authority = kept
    ? await readAuthority({ certificate: kept.ca, key: kept.caKey })
    : await makeAuthority('CN=metallb, O=metallb', 'rsa-2048', validity)
  const notAfter = new Date(Math.min(authority.notAfter.getTime(), validity.notAfter.getTime()))
  const request = { subject: `CN=${names[0] ?? 'metallb'}`, names, usage: 'server' } as const
  const leaf = await makeLeaf(authority, request, { ...validity, notAfter })
  const caKey = kept?.caKey ?? privateKeyOf(authority, authority.keys)
  return { ca: authority.certificate, caKey, ...leaf }
}

async function write(o: SecretOptions, before: RawObject | undefined, material: Material): Promise<void> {
  const data = { ...dataOf(before), ...secretData(material) }
  const identity = { apiVersion: 'v1', kind: 'Secret' }
  try {
    if (before !== undefined) await o.cluster.update(secretType, { ...before, ...identity, data })
    else {
      const metadata = { namespace: o.namespace, name: o.name }
      await o.cluster.create(secretType, { ...identity, metadata, type: 'Opaque', data })
    }
  } catch (error) {
    if (!hasStatus(error, 403)) throw error
    const advice = `the role may not write Secret ${o.namespace}/${o.name}: grant it, or fill the Secret yourself`
    throw new Error(advice, { cause: error })
  }
}

function dataOf(secret: RawObject | undefined): Readonly<Record<string, string>> {
  const data = secret?.['data']
  return typeof data === 'object' && data !== null ? (data as Readonly<Record<string, string>>) : {}
}
