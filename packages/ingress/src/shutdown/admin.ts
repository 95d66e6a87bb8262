/** The two things asked of Envoy's admin interface, over its unix socket. */

// An import statement would read every property of node:http, and one of them loads all of fetch: 13 MB.
const { request } = process.getBuiltinModule('node:http')

const timeoutMs = 2000

export interface Admin {
  /** Envoy answers its health checks with failure from now on, and closes connections after their next response. */
  failHealthChecks(): Promise<void>
  connections(): Promise<Connections>
}

/** Of clients, without those of the operational listeners. */
export interface Connections {
  readonly open: number
  /** Since Envoy began: who is open or was. */
  readonly ever: number
}

/** Connection managers that serve operators and probes, by statistics prefix. */
const operational: ReadonlySet<string> = new Set(['admin', 'envoy-admin', 'stats', 'health', 'stats-health'])
const filter = '^http\\..*\\.downstream_cx_(active|total)$'

export function connectAdmin(socketPath: string): Admin {
  return {
    failHealthChecks: async () => {
      await ask(socketPath, 'POST', '/healthcheck/fail')
    },
    connections: async () =>
      countConnections(await ask(socketPath, 'GET', `/stats?filter=${encodeURIComponent(filter)}`)),
  }
}

/** Lines `http.PREFIX.downstream_cx_active: N` and `…_total: N`. */
export function countConnections(stats: string): Connections {
  let [open, ever] = [0, 0]
  for (const line of stats.split('\n')) {
    const [, prefix = '', what, count] =
      /^http\.(.*)\.downstream_cx_(active|total): (\d+)$/.exec(line.trim()) ?? []
    if (operational.has(prefix)) continue
    if (what === 'active') open += Number(count)
    if (what === 'total') ever += Number(count)
  }
  return { open, ever }
}

function ask(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, path, method, headers: { host: 'envoy' }, timeout: timeoutMs }
    const call = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body)
        else reject(new Error(`${method} ${path} on ${socketPath}: ${response.statusCode}`))
      })
    })
    call.on('timeout', () => call.destroy(new Error(`${method} ${path} on ${socketPath}: no answer`)))
    call.on('error', reject)
    call.end()
  })
}
