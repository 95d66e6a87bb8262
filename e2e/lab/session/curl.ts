// One HTTP exchange by the real curl: the argument list for it and the reading of what it wrote. Pure.
export interface CurlOptions {
  readonly method?: string
  /** The Host header, for a URL that names an address. */
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Connects to this address whatever the URL's host; the name stays for TLS and the Host header. */
  readonly resolve?: string
  /** Path of a bundle that the server's certificate must verify against. */
  readonly cacert?: string
  /** Skips the verification; for tests of what is presented, never of trust. */
  readonly insecure?: boolean
  readonly http2?: boolean
  /** Source address or interface. */
  readonly from?: string
  readonly followRedirects?: boolean
  /** For the whole exchange; 5 s by default. */
  readonly timeoutMs?: number
}

export interface CurlAnswer {
  readonly status: number
  readonly body: string
  /** Lower-case names; several of one name in the order sent. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly remoteAddress: string
  readonly localAddress: string
  readonly httpVersion: string
  readonly totalMs: number
}

/** No answer came: `exitCode` is curl's (7 refused, 28 timed out, 60 certificate not trusted, …). */
export class CurlError extends Error {
  readonly exitCode: number
  constructor(url: string, exitCode: number, stderr: string) {
    super(`curl ${url}: ${reasonIn(stderr) || `exit code ${exitCode}`}`)
    this.exitCode = exitCode
  }
}

/** What it says of the exchange in the end, and the kernel of each connection that it tried. */
function reasonIn(stderr: string): string {
  const told = stderr.split('\n').filter((line) => /^curl: |^\* connect to .* failed: /.test(line))
  return told
    .map((line) => line.replace(/^\* /, ''))
    .toReversed()
    .join('; ')
}

const mark = '\n--landfall-curl--'

export function curlArguments(url: string, o: CurlOptions = {}): readonly string[] {
  const { hostname, port, protocol } = new URL(url)
  const seconds = (o.timeoutMs ?? 5000) / 1000
  const headers = Object.entries({ ...(o.host === undefined ? {} : { Host: o.host }), ...o.headers })
  const at = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
  const address = o.resolve?.includes(':') ? `[${o.resolve}]` : o.resolve
  return [
    '-sSv',
    '--noproxy',
    '*',
    '-m',
    `${seconds}`,
    '-w',
    `${mark}{"headers":%{header_json},"written":%{json}}`,
    ...(o.method === undefined ? [] : o.method === 'HEAD' ? ['-I'] : ['-X', o.method]),
    ...headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    ...(o.body === undefined ? [] : ['--data-binary', '@-']),
    ...(address === undefined ? [] : ['--resolve', `${at}:${address}`]),
    ...(o.cacert === undefined ? [] : ['--cacert', o.cacert]),
    ...(o.insecure === true ? ['-k'] : []),
    ...(o.http2 === true ? [protocol === 'https:' ? '--http2' : '--http2-prior-knowledge'] : []),
    ...(o.from === undefined ? [] : ['--interface', o.from]),
    ...(o.followRedirects === true ? ['-L'] : []),
    url,
  ]
}

interface Summary {
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly written: {
    readonly http_code?: number
    readonly remote_ip?: string
    readonly local_ip?: string
    readonly http_version?: string
    readonly time_total?: number
  }
}

/** Reads curl's output: the body, then what `-w` was told to write. The headers are the last answer's. */
export function parseCurl(stdout: string): CurlAnswer {
  const at = stdout.lastIndexOf(mark)
  if (at < 0) throw new Error(`curl wrote no summary: ${stdout.slice(-200)}`)
  const { headers, written }: Summary = JSON.parse(stdout.slice(at + mark.length))
  return {
    status: written.http_code ?? 0,
    body: stdout.slice(0, at),
    headers,
    remoteAddress: written.remote_ip ?? '',
    localAddress: written.local_ip ?? '',
    httpVersion: written.http_version ?? '',
    totalMs: Math.round((written.time_total ?? 0) * 1000),
  }
}
