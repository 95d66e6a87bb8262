/**
 * How far a TCP connection has come, by its kernel (TCP_INFO of tcp(7)): what a busy process has not seen yet, the kernel
 * has done.
 */
import type net from 'node:net'
import { readOption } from './libc.ts'
import { fdOf } from './tcp.ts'

const IPPROTO_TCP = 6
const TCP_INFO = 11
/** struct tcp_info, of which the end is left out. */
const infoSize = 104
const unackedAt = 24
const totalRetransAt = 100
const TCP_SYN_SENT = 2

export interface TcpProgress {
  /** The peer has answered. */
  readonly answered: boolean
  /** Segments that were sent once more, as nothing came back in time. */
  readonly sentAgain: number
  /** Segments that nothing has come back for. */
  readonly unanswered: number
}

/** undefined: the connection is closed, or has not been begun. */
export function tcpProgress(socket: net.Socket): TcpProgress | undefined {
  const fd = fdOf(socket)
  if (fd === undefined) return undefined
  const info = readOption(fd, IPPROTO_TCP, TCP_INFO, infoSize)
  return {
    answered: info.getUint8(0) !== TCP_SYN_SENT,
    sentAgain: info.getUint32(totalRetransAt, true),
    unanswered: info.getUint32(unackedAt, true),
  }
}
