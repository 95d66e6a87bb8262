/**
 * The sockets that control packets arrive at: one for each local address and port (RFC 5881 §4: 3784, RFC 5883 §5:
 * 4784), shared by the sessions there. The kernel drops what comes from elsewhere or from too far away.
 */
import { UdpSocket } from '@landfall/net'
import { formatIP, type IP } from '@landfall/netip'

export interface Listener {
  readonly local: IP
  readonly remote: IP
  readonly device: string | undefined
  readonly port: number
  /** Of what may arrive. */
  readonly minTtl: number
}

interface Receiver<L extends Listener> {
  readonly socket: UdpSocket
  readonly listeners: Set<L>
}

export class Receivers<L extends Listener> {
  readonly #onDatagram: (datagram: Uint8Array, source: string, listeners: ReadonlySet<L>) => void
  readonly #receivers = new Map<string, Receiver<L>>()

  /** `source` has no zone; `listeners` are those of the socket. */
  constructor(onDatagram: (datagram: Uint8Array, source: string, listeners: ReadonlySet<L>) => void) {
    this.#onDatagram = onDatagram
  }

  /** Throws SystemError; then nothing was added. */
  add(listener: L): void {
    const key = keyOf(listener)
    let receiver = this.#receivers.get(key)
    if (receiver === undefined) this.#receivers.set(key, (receiver = this.#open(listener)))
    receiver.listeners.add(listener)
    this.#filter(receiver)
  }

  remove(listener: L): void {
    const key = keyOf(listener)
    const receiver = this.#receivers.get(key)
    if (!receiver?.listeners.delete(listener)) return
    if (receiver.listeners.size > 0) return this.#filter(receiver)
    receiver.socket.close()
    this.#receivers.delete(key)
  }

  #open({ local, port, device }: L): Receiver<L> {
    const listeners = new Set<L>()
    const onDatagram = (datagram: Uint8Array, source: string): void =>
      this.#onDatagram(datagram, source.replace(/%.*$/, ''), listeners)
    return { socket: new UdpSocket({ local, port, device, ttl: 255, onDatagram }), listeners }
  }

  #filter({ socket, listeners }: Receiver<L>): void {
    socket.setSenders([...listeners].map(({ remote, minTtl }) => ({ ip: remote, minTtl })))
  }
}

function keyOf({ local, device, port }: Listener): string {
  return `${formatIP(local)}%${device ?? ''} ${port}`
}
