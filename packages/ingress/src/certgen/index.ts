/**
 * `landfall certgen`: makes the certificates with which Envoy and the control plane know each other, and writes them
 * as Secrets to a cluster, as manifests or as PEM files.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCluster } from '@landfall/kube'
import type { Logger } from '@landfall/telemetry'
import { stringify } from 'yaml'
import { makeCertificates } from './certificates.ts'
import { type Outcome, writeSecrets } from './cluster-secrets.ts'
import { makePemFiles, makeSecrets, type SecretOptions } from './secrets.ts'

export interface CertgenOptions extends SecretOptions {
  readonly logger: Logger
  readonly version: string
  /** Days until the certificates end; 365. */
  readonly lifetimeDays: number
  /** Write the Secrets to the cluster. */
  readonly kube: boolean
  /** Else KUBECONFIG, else the pod's own credentials. */
  readonly kubeconfig?: string
  /** Replace what exists; false: what exists stays, but for Secrets made here that end soon. */
  readonly overwrite: boolean
  /** Write manifests of the Secrets into `directory`. */
  readonly yaml: boolean
  /** Write PEM files into `directory`. */
  readonly pem: boolean
  /** For `yaml` and `pem`; made if missing. Default `certs`. */
  readonly directory: string
}

const events: Readonly<Record<Outcome, string>> = {
  created: 'secretsCreated',
  overwritten: 'secretsOverwritten',
  renewed: 'secretsRenewed',
  kept: 'secretsKept',
}

/** Rejects when something asked for could not be written. */
export async function runCertgen(options: CertgenOptions): Promise<void> {
  const { directory, logger, namespace, lifetimeDays, overwrite } = options
  if (!options.kube && !options.yaml && !options.pem) {
    throw new Error('nothing to write to: give --kube, --yaml or --pem')
  }
  const certificates = await makeCertificates({ namespace, lifetimeDays })
  const secrets = makeSecrets(certificates, options)
  if (options.pem) await writeFiles(directory, makePemFiles(certificates), overwrite)
  if (options.yaml) {
    const files = secrets.map((secret) => [`${secret.metadata.name}.yaml`, stringify(secret)])
    await writeFiles(directory, Object.fromEntries(files), overwrite)
  }
  if (!options.kube) return
  const { kubeconfig, version } = options
  const userAgent = `landfall-certgen/${version}`
  const cluster = await openCluster({
    logger,
    userAgent,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  })
  try {
    const outcome = await writeSecrets(cluster, secrets, overwrite)
    const names = secrets.map(({ metadata }) => metadata.name)
    logger.info(events[outcome], { namespace, names, lifetimeDays })
  } finally {
    cluster.close()
  }
}

/** Without `overwrite`, a file that exists is an error (EEXIST, with its path). Keys are for their owner alone. */
async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string>>,
  overwrite: boolean,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, name), text, { mode: 0o600, flag: overwrite ? 'w' : 'wx' })
  }
}
