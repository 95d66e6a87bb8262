/** For tests of settings: what a `contour.yaml` makes of a stand, and what clients see there. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { engineOptions } from '../configuration/engine-options.ts'
import { readFileText } from '../configuration/read.ts'
import type { EngineOptions } from '../engine/engine-options.ts'
import { eventually } from '../envoy-process/envoy-process.ts'
import type { Stand } from '../xds/real-envoy/stand.ts'
import { settled, translateFor } from './traffic.ts'

/** @throws when something of it is refused */
export function optionsOf(file: string): EngineOptions {
  const { settings, problems } = readFileText(file)
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return engineOptions(settings)
}

/** Until the Envoy has taken it; what is refused is in `stand.refused`. */
export async function publishWith(
  stand: Stand,
  text: string,
  file: string,
  more: Partial<EngineOptions['listeners']> = {},
): Promise<void> {
  const options = optionsOf(file)
  const at = (port: number) => ({ address: '127.0.0.1', port })
  const listeners = {
    ...options.listeners,
    http: at(stand.httpPort),
    https: at(stand.httpsPort),
    stats: at(0),
    adminPort: 0,
    httpAccessLog: '',
    httpsAccessLog: '',
    ...more,
  }
  stand.publishEach((layout) => translateFor(stand, text, layout, { ...options, listeners }))
  await eventually('settled', () => settled(stand))
}

/** What a handshake came to. */
export interface Spoken {
  readonly version: string | null
  readonly cipher: string
  /** Of the key exchange, as OpenSSL calls it. */
  readonly group: string
  readonly alpn: string | false | null
}

/** undefined: none came about. */
export function handshake(
  port: number,
  servername: string,
  offer: ConnectionOptions,
): Promise<Spoken | undefined> {
  return new Promise((resolve) => {
    const at = { host: '127.0.0.1', port, servername, rejectUnauthorized: false }
    const socket = connectTls({ ...at, ...offer })
    socket.on('secureConnect', () => {
      const key = socket.getEphemeralKeyInfo()
      resolve({
        version: socket.getProtocol(),
        cipher: socket.getCipher().name,
        group: key !== null && 'name' in key ? (key.name ?? '') : '',
        alpn: socket.alpnProtocol,
      })
      socket.destroy()
    })
    socket.on('error', () => resolve(undefined))
  })
}

/** A connection on which bytes are written as they are. */
export class RawClient {
  readonly socket: Socket
  text = ''

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('utf8').on('data', (chunk) => (this.text += String(chunk)))
    this.socket.on('error', () => undefined)
  }

  /** @returns the status of the last answer; undefined: it was closed without one */
  async ask(host: string, more = '', body = ''): Promise<number | undefined> {
    this.text = ''
    this.socket.write(`${body === '' ? 'GET' : 'POST'} / HTTP/1.1\r\nhost: ${host}\r\n${more}\r\n${body}`)
    while (!this.text.includes('\r\n\r\n') && !this.socket.closed) await sleep(5)
    const [, status] = this.text.split(' ')
    return status === undefined ? undefined : Number(status)
  }
}
