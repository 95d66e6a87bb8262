/**
 * Access by a kubeconfig. client-node reads it and runs its authentication plug-ins; it takes 80 MB, so that it is
 * loaded here only, and never in a pod.
 */
import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import type { Access, TlsMaterial } from './access.ts'

/** How long a reading of the files, and of a plug-in's answer, is used. */
const freshMs = 5_000

function load(config: KubeConfig, path: string): void {
  try {
    config.loadFromFile(path)
  } catch (error) {
    throw new Error(`kubeconfig ${path} cannot be read`, { cause: error })
  }
}

/** @param paths one file, or several as KUBECONFIG lists them @throws an Error that names the file */
export async function kubeconfigAccess(paths: string): Promise<Access> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const files = paths.split(delimiter).filter((path) => path !== '')
  const present = files.length === 1 ? files : files.filter((path) => existsSync(path))
  for (const [index, path] of present.entries()) {
    const one = index === 0 ? config : new KubeConfig()
    load(one, path)
    if (one !== config) config.mergeConfig(one, true)
  }
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error(`${paths}: no current context, or its cluster is missing`)
  const server = new URL(cluster.server)
  let headers: Readonly<Record<string, string>> = {}
  let tls: TlsMaterial = {}
  let readAt = Number.NEGATIVE_INFINITY
  const refresh = async () => {
    if (performance.now() - readAt < freshMs) return
    readAt = performance.now()
    const options: { [name: string]: unknown } = {}
    await config.applyToHTTPSOptions(options)
    headers = headersFrom(options['headers'])
    const fresh = tlsFrom(options, cluster.skipTLSVerify, cluster.tlsServerName)
    if (!sameTls(tls, fresh)) tls = fresh
  }
  await refresh()
  return {
    server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? '',
    tls: () => tls,
    headers: async () => {
      await refresh()
      return headers
    },
    refused: () => {
      readAt = Number.NEGATIVE_INFINITY
    },
  }
}

function tlsFrom(
  options: Readonly<Record<string, unknown>>,
  insecure: boolean | undefined,
  servername: string | undefined,
): TlsMaterial {
  const material = (name: string): string | Buffer | undefined => {
    const value = options[name]
    return typeof value === 'string' || Buffer.isBuffer(value) ? value : undefined
  }
  const [ca, cert, key] = [material('ca'), material('cert'), material('key')]
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(insecure && { rejectUnauthorized: false }),
    ...(servername && { servername }),
  }
}

function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return String(a.ca) === String(b.ca) && String(a.cert) === String(b.cert) && String(a.key) === String(b.key)
}

function headersFrom(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return Object.fromEntries(entries)
}
