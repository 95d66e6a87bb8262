/**
 * Where the API server is and how to be let in: from a kubeconfig (`--kubeconfig`, then `KUBECONFIG`) or from a pod's
 * service account. A pod's token and CA are read again, since both rotate.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface TlsMaterial {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly rejectUnauthorized?: boolean
  readonly servername?: string
}

export interface Access {
  readonly server: URL
  /** The namespace that the credentials belong to; '' when they belong to none. */
  readonly namespace: string
  /** The same object as long as nothing changed. */
  tls(): TlsMaterial
  /** Headers that authenticate a request. */
  headers(): Promise<Readonly<Record<string, string>>>
}

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'
const tokenLifeMs = 30_000

/** @throws an Error that names the file or the variables that are missing */
export async function findAccess(kubeconfig: string | undefined): Promise<Access> {
  const named = kubeconfig ?? process.env['KUBECONFIG']
  if (named !== undefined && named !== '') return accessFromKubeconfig(named)
  if (process.env['KUBERNETES_SERVICE_HOST']) return accessFromPod()
  const usual = join(homedir(), '.kube', 'config')
  if (existsSync(usual)) return accessFromKubeconfig(usual)
  throw new Error(
    'no cluster: give --kubeconfig FILE, set KUBECONFIG, or run in a pod with a service account',
  )
}

function accessFromPod(): Access {
  const host = process.env['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = process.env['KUBERNETES_SERVICE_PORT'] ?? '443'
  const ca = watchedFile(join(accountFolder, 'ca.crt'), (text): TlsMaterial => ({ ca: text }))
  const namespace = join(accountFolder, 'namespace')
  let token = { value: '', readAt: Number.NEGATIVE_INFINITY }
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: existsSync(namespace) ? readFileSync(namespace, 'utf8').trim() : '',
    tls: ca,
    headers: async () => {
      if (performance.now() - token.readAt > tokenLifeMs) {
        token = {
          value: readFileSync(join(accountFolder, 'token'), 'utf8').trim(),
          readAt: performance.now(),
        }
      }
      return { authorization: `Bearer ${token.value}` }
    },
  }
}

/** Reads a file again when its modification time changed. */
function watchedFile<T>(path: string, read: (text: string) => T): () => T {
  let seen: { readonly mtime: number; readonly value: T } | undefined
  return () => {
    const mtime = statSync(path).mtimeMs
    if (seen?.mtime !== mtime) seen = { mtime, value: read(readFileSync(path, 'utf8')) }
    return seen.value
  }
}

/** client-node reads kubeconfigs and runs their authentication plug-ins; a pod never loads it. */
async function accessFromKubeconfig(path: string): Promise<Access> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  config.loadFromFile(path)
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error(`${path}: no current context, or its cluster is missing`)
  const context = config.getContextObject(config.getCurrentContext())
  let options: { [name: string]: unknown } = {}
  const refresh = async () => {
    const fresh: { [name: string]: unknown } = {}
    await config.applyToHTTPSOptions(fresh)
    options = fresh
  }
  await refresh()
  const tls = tlsFrom(options, cluster.skipTLSVerify, cluster.tlsServerName)
  return {
    server: new URL(cluster.server),
    namespace: context?.namespace ?? '',
    tls: () => tls,
    headers: async () => {
      await refresh()
      return headersFrom(options['headers'])
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
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(insecure ? { rejectUnauthorized: false } : {}),
    ...(servername ? { servername } : {}),
  }
}

function headersFrom(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return Object.fromEntries(entries)
}
