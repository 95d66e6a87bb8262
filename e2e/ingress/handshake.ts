/** One request on a TLS connection of its own: what the server shows, and whether it takes the client. */
import { get } from 'node:https'
import { TLSSocket } from 'node:tls'

export interface Handshake {
  readonly status: number
  /** Of the certificate that the server showed. */
  readonly fingerprint: string
}

/** Undefined when no answer comes about. */
export function handshake(
  port: number,
  host: string,
  client?: { readonly cert: string; readonly key: string },
): Promise<Handshake | undefined> {
  return new Promise((resolve) => {
    const at = { host: '127.0.0.1', port, path: '/', headers: { host }, agent: false }
    const call = get({ ...at, servername: host, rejectUnauthorized: false, ...client }, (response) => {
      const { socket } = response
      const fingerprint = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : ''
      response.resume().once('end', () => resolve({ status: response.statusCode ?? 0, fingerprint }))
    })
    call.once('error', () => resolve(undefined))
  })
}
