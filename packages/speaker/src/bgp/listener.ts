/**
 * Takes the connections of peers that dial us (opt-in): on one port of every address, with a TCP-MD5 key for each
 * peer that has a password. A connection goes to the peer whose address it comes from, if it came to the address that
 * the peer's session has; of several to one that waits for it; others are closed. The first answer leaves with hop limit 255, as TTL security of the peer
 * may ask for (RFC 5082).
 */
import type net from 'node:net'
import { type ListenOptions, listenTcp, SystemError, type TcpListener } from '@landfall/net'
import { equalIP, formatIP, type IP, parseIP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'

export interface Caller {
  readonly address: IP
  readonly password: string | undefined
  /** The address of ours that it has to dial; undefined: any. */
  readonly local: () => IP | undefined
  /** It has no session, and does not dial itself. */
  readonly waits: () => boolean
  readonly accept: (socket: net.Socket) => void
}

const anywhere: readonly IP[] = [
  { family: 4, value: 0n },
  { family: 6, value: 0n },
]

export class Listener {
  readonly #logger: Logger
  readonly #listeners: readonly { readonly family: 4 | 6; readonly listener: TcpListener }[]
  readonly #passwords = new Map<string, { readonly address: IP; readonly password: string }>()
  #callers: readonly Caller[] = []

  /** Throws SystemError when the port cannot be had. */
  constructor(port: number, logger: Logger, listen: (options: ListenOptions) => TcpListener = listenTcp) {
    this.#logger = logger
    this.#listeners = anywhere.flatMap((local) => {
      const listener = openListener({ local, port, ttl: 255 }, listen)
      listener?.server.on('connection', (socket: net.Socket) => this.#onConnection(socket))
      return listener === undefined ? [] : { family: local.family, listener }
    })
  }

  setCallers(callers: readonly Caller[]): void {
    this.#callers = callers
    const wanted = new Map<string, { readonly address: IP; readonly password: string }>()
    for (const { address, password } of callers)
      if (password !== undefined) wanted.set(formatIP(address), { address, password })
    for (const [text, { address }] of this.#passwords) if (!wanted.has(text)) this.#setKey(address, undefined)
    for (const [text, { address, password }] of wanted)
      if (this.#passwords.get(text)?.password !== password) this.#setKey(address, password)
    this.#passwords.clear()
    for (const [text, one] of wanted) this.#passwords.set(text, one)
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map(({ listener }) => listener.close()))
  }

  #onConnection(socket: net.Socket): void {
    const remote = parseIP(socket.remoteAddress?.replace(/%.*$/, '') ?? '')
    const local = parseIP(socket.localAddress?.replace(/%.*$/, '') ?? '')
    const callers =
      remote && local
        ? this.#callers.filter((one) => equalIP(one.address, remote) && isMeant(one, local))
        : []
    const caller = callers.find((one) => one.waits()) ?? callers[0]
    if (caller !== undefined) return caller.accept(socket)
    this.#logger.debug('connectionRefused', { from: socket.remoteAddress }, 'no peer has this address')
    socket.destroy()
  }

  #setKey(address: IP, password: string | undefined): void {
    const listener = this.#listeners.find(({ family }) => family === address.family)?.listener
    try {
      listener?.setPassword(address, password)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#logger.error(
        'passwordNotSet',
        { peer: formatIP(address), error },
        'TCP-MD5 key for a peer that dials',
      )
    }
  }
}

/** undefined: the kernel has no IPv6. */
function openListener(
  options: ListenOptions,
  listen: (options: ListenOptions) => TcpListener,
): TcpListener | undefined {
  try {
    return listen(options)
  } catch (error) {
    const codes = options.local.family === 6 ? ['EAFNOSUPPORT', 'EADDRNOTAVAIL'] : []
    if (error instanceof SystemError && codes.includes(error.code)) return undefined
    throw error
  }
}

function isMeant(caller: Caller, local: IP): boolean {
  const wanted = caller.local()
  return wanted === undefined || equalIP(wanted, local)
}
