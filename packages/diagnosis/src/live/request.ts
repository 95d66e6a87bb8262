/** The rim: one request to the address, from this machine, as the URL asks for it. Its body is not read. */
import { isIP, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Try } from '../trace/live.ts'
import type { Target } from '../trace/target.ts'

// As everywhere, since an import statement loads all of fetch.
const http = process.getBuiltinModule('node:http')
const https = process.getBuiltinModule('node:https')

const connectMs = 3000
const answerMs = 5000

export function tryRequest(address: string, target: Target): Promise<Try> {
  return new Promise((resolve) => {
    const start = target.scheme === 'https' ? https.request : http.request
    const request = start(optionsOf(address, target))
    let connected = false
    const end = (outcome: Try): void => {
      clearTimeout(timer)
      resolve(outcome)
      request.destroy()
    }
    const failed = (code: string, message: string): void =>
      end({ kind: connected ? 'noAnswer' : 'noConnection', code, message })
    const tooLate = (ms: number) => () => failed('ETIMEDOUT', `nothing within ${ms / 1000} s`)
    let timer = setTimeout(tooLate(connectMs), connectMs)
    request.on('socket', (socket) => {
      socket.once('connect', () => {
        connected = true
        clearTimeout(timer)
        timer = setTimeout(tooLate(answerMs), answerMs)
      })
    })
    request.on('response', ({ statusCode = 0, headers, socket }) => {
      const { server = '', location = '' } = headers
      const said = { server: String(server), location }
      end({ kind: 'answered', status: statusCode, ...said, distrust: distrustOf(socket) })
    })
    request.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? 'failed', error.message))
    request.end()
  })
}

function optionsOf(address: string, target: Target) {
  const { method, path, query, host, port, toPort, authority } = target
  const named = port === '' ? host : `${host}:${port}`
  return {
    agent: false,
    host: address,
    port: toPort,
    method,
    path: query === '' ? path : `${path}?${query}`,
    headers: { ...Object.fromEntries(target.headers), host: named, 'user-agent': 'landfall-trace' },
    // Whatever it shows is looked at; that nobody trusts it is said.
    rejectUnauthorized: false,
    ...(isIP(authority) === 0 ? { servername: authority } : {}),
  }
}

function distrustOf(socket: Socket): string {
  if (!(socket instanceof TLSSocket) || socket.authorized) return ''
  return String(socket.authorizationError)
}
