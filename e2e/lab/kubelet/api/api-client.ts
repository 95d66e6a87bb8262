// The process kubelet's own small client of the API server: a kubeconfig in, JSON requests and
// line-wise watch streams out. Independent of the product's client on purpose: the lab must be able
// to judge the product with nothing in common but the API server.
import { readFileSync } from 'node:fs'
import { Agent } from 'undici'
import { parse } from 'yaml'

export class ApiFailure extends Error {
  readonly status: number
  readonly reason: string

  constructor(verb: string, path: string, status: number, reason: string, message: string) {
    super(`${verb} ${path}: ${status} ${reason}: ${message}`)
    this.status = status
    this.reason = reason
  }
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path with query. */
  readonly path: string
  readonly body?: unknown
  /** Defaults to a merge patch for PATCH, else JSON. */
  readonly contentType?: string
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly name: string
    readonly cluster: {
      readonly server: string
      readonly 'certificate-authority'?: string
      readonly 'certificate-authority-data'?: string
      readonly 'insecure-skip-tls-verify'?: boolean
    }
  }[]
  readonly users: readonly {
    readonly name: string
    readonly user: {
      readonly token?: string
      readonly 'client-certificate'?: string
      readonly 'client-certificate-data'?: string
      readonly 'client-key'?: string
      readonly 'client-key-data'?: string
    }
  }[]
  readonly contexts: readonly {
    readonly name: string
    readonly context: { readonly cluster: string; readonly user: string }
  }[]
  readonly 'current-context': string
}

const REQUEST_TIMEOUT_MS = 5000

/** One API server over one pool of connections. The CA comes from the kubeconfig alone. */
export class ApiClient {
  readonly server: string
  readonly #agent: Agent
  readonly #headers: Readonly<Record<string, string>>

  constructor(kubeconfigPath: string) {
    const { cluster, user } = currentContext(readFileSync(kubeconfigPath, 'utf8'), kubeconfigPath)
    this.server = cluster.server.replace(/\/$/, '')
    const ca = fileOrData(cluster['certificate-authority'], cluster['certificate-authority-data'])
    const cert = fileOrData(user['client-certificate'], user['client-certificate-data'])
    const key = fileOrData(user['client-key'], user['client-key-data'])
    this.#agent = new Agent({
      allowH2: false,
      connect: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
        timeout: REQUEST_TIMEOUT_MS,
      },
    })
    this.#headers = {
      accept: 'application/json',
      'user-agent': 'landfall-lab-kubelet',
      ...(user.token === undefined ? {} : { authorization: `Bearer ${user.token}` }),
    }
  }

  /** Throws an ApiFailure for every answer ≥ 400, another error when there is no answer in 5 s. */
  async request<T>(request: ApiRequest): Promise<T> {
    const patch = request.method === 'PATCH'
    const answer = await this.#agent.request({
      origin: this.server,
      path: request.path,
      method: request.method,
      headers: {
        ...this.#headers,
        ...(request.body === undefined
          ? {}
          : {
              'content-type':
                request.contentType ?? (patch ? 'application/merge-patch+json' : 'application/json'),
            }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    })
    const text = await answer.body.text()
    if (answer.statusCode >= 400) throw failure(request.method, request.path, answer.statusCode, text)
    return JSON.parse(text) as T
  }

  /** Hands over each line of a watch until the stream ends; `signal` ends it early with a throw. */
  async watch(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    const answer = await this.#agent.request({
      origin: this.server,
      path,
      method: 'GET',
      headers: this.#headers,
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: 0,
      signal,
    })
    if (answer.statusCode >= 400) throw failure('WATCH', path, answer.statusCode, await answer.body.text())
    answer.body.setEncoding('utf8')
    let rest = ''
    for await (const chunk of answer.body) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') onLine(line)
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

function failure(verb: string, path: string, status: number, text: string): ApiFailure {
  try {
    const parsed = JSON.parse(text) as { readonly reason?: string; readonly message?: string }
    return new ApiFailure(verb, path, status, parsed.reason ?? '', parsed.message ?? text)
  } catch {
    return new ApiFailure(verb, path, status, '', text.slice(0, 200))
  }
}

function fileOrData(file: string | undefined, data: string | undefined): Buffer | undefined {
  if (data !== undefined) return Buffer.from(data, 'base64')
  return file === undefined ? undefined : readFileSync(file)
}

function currentContext(text: string, path: string) {
  const config = parse(text) as Kubeconfig
  const context = config.contexts.find((c) => c.name === config['current-context'])?.context
  const cluster = config.clusters.find((c) => c.name === context?.cluster)?.cluster
  const user = config.users.find((u) => u.name === context?.user)?.user
  if (cluster === undefined || user === undefined)
    throw new Error(`${path}: current-context names no cluster or user`)
  return { cluster, user }
}
