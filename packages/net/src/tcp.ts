/**
 * TCP sockets with the options that BGP needs and Node lacks: TCP-MD5 (RFC 2385), TTL and minimum TTL (GTSM,
 * RFC 5082), device binding, DSCP CS6. The options are set on a socket of our own, which `net.Socket` or
 * `net.Server` then takes over and closes.
 */
import net from 'node:net'
import { formatIP, type IP, isLinkLocal } from '@landfall/netip'
import {
  bindSocket,
  closeFd,
  duplicateFd,
  interfaceIndex,
  openSocket,
  SOL_SOCKET,
  SystemError,
  setOption,
} from './libc.ts'
import { AF_INET, AF_INET6, inetAddress } from './sockaddr.ts'

const SOCK_STREAM = 1
const SO_REUSEADDR = 2
const SO_BINDTODEVICE = 25
const IPPROTO_IP = 0
const IPPROTO_TCP = 6
const IPPROTO_IPV6 = 41
const IP_TOS = 1
const IP_TTL = 2
const IP_MINTTL = 21
const IPV6_UNICAST_HOPS = 16
const IPV6_V6ONLY = 26
const IPV6_TCLASS = 67
const IPV6_MINHOPCOUNT = 73
const TCP_MD5SIG = 14
const md5KeyMax = 80
const md5StructSize = 216
/** DSCP CS6, internetwork control. */
const trafficClass = 0xc0

export interface SocketOptions {
  /** TTL or hop limit of what is sent. */
  readonly ttl?: number | undefined
  /** Segments that arrive with a lower TTL or hop limit are dropped by the kernel. */
  readonly minTtl?: number | undefined
  /** Interface or VRF that the socket is bound to; it also gives link-local addresses their scope. */
  readonly device?: string | undefined
}

export interface ConnectOptions extends SocketOptions {
  readonly remote: IP
  readonly port: number
  /** Source address; the kernel chooses when absent. */
  readonly local?: IP | undefined
  /** At most 80 bytes of UTF-8. With a wrong key the peer is silent: set a timer of your own. */
  readonly md5Password?: string | undefined
}

/**
 * A socket that is connecting. Whatever goes wrong, a bad option or a source address that is not on this host
 * included, arrives as 'error' on the socket, never as a throw.
 */
export function openTcpSocket(o: ConnectOptions): net.Socket {
  let fd = -1
  try {
    fd = openSocket(o.remote.family === 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0)
    setSocketOptions(fd, o.remote.family, o)
    if (o.md5Password !== undefined) setMd5Key(fd, o.remote, o.md5Password, o.device)
    if (o.local !== undefined)
      bindSocket(fd, inetAddress(o.local, 0, scopeOf(o.local, o.device)), formatIP(o.local))
  } catch (error) {
    if (fd >= 0) closeFd(fd)
    if (!(error instanceof Error)) throw error
    return new net.Socket().destroy(error)
  }
  const socket = new net.Socket({ fd, readable: true, writable: true })
  const zone = needsZone(o.remote) && o.device !== undefined ? `%${o.device}` : ''
  return socket.connect({ host: `${formatIP(o.remote)}${zone}`, port: o.port })
}

export interface ListenOptions extends SocketOptions {
  /** The address to listen on; `::` does not take IPv4. */
  readonly local: IP
  readonly port: number
}

/** A listening socket; connections arrive at `server` as usual. */
export class TcpListener {
  readonly server: net.Server
  readonly #fd: number
  readonly #device: string | undefined

  constructor(fd: number, device: string | undefined) {
    this.#fd = fd
    this.#device = device
    this.server = net.createServer({ noDelay: true })
    this.server.listen({ fd })
  }

  /** Sets the TCP-MD5 key for connections from `remote`; undefined removes it. Throws SystemError. */
  setPassword(remote: IP, password: string | undefined): void {
    setMd5Key(this.#fd, remote, password ?? '', this.#device)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()))
  }
}

/** Throws SystemError when the address cannot be had (EADDRINUSE, EACCES below port 1024). */
export function listenTcp(o: ListenOptions): TcpListener {
  const fd = openSocket(o.local.family === 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0)
  try {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    if (o.local.family === 6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
    setSocketOptions(fd, o.local.family, o)
    bindSocket(
      fd,
      inetAddress(o.local, o.port, scopeOf(o.local, o.device)),
      `${formatIP(o.local)} port ${o.port}`,
    )
  } catch (error) {
    closeFd(fd)
    throw error
  }
  return new TcpListener(fd, o.device)
}

/** Sets TTL and minimum TTL of a connection that was accepted; of no effect on one that is closed. */
export function limitConnection(socket: net.Socket, limits: Pick<SocketOptions, 'ttl' | 'minTtl'>): void {
  const fd = fdOf(socket)
  if (fd !== undefined) setSocketOptions(fd, socket.localFamily === 'IPv6' ? 6 : 4, limits)
}

/**
 * A descriptor of the connection that another thread can end it by (`shutConnection`), whatever this one is doing.
 * To be closed by `releaseConnection`: until then the kernel keeps the connection. undefined: it is closed already.
 */
export function shareConnection(socket: net.Socket): number | undefined {
  const fd = fdOf(socket)
  return fd === undefined ? undefined : duplicateFd(fd)
}

/** undefined: it is closed. */
export function fdOf(socket: net.Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}

/** Device, traffic class CS6, TTL and minimum TTL. */
export function setSocketOptions(fd: number, family: 4 | 6, o: SocketOptions): void {
  if (o.device !== undefined) setOption(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${o.device}\0`))
  if (family === 4) {
    setOption(fd, IPPROTO_IP, IP_TOS, trafficClass)
    if (o.ttl !== undefined) setOption(fd, IPPROTO_IP, IP_TTL, o.ttl)
    if (o.minTtl !== undefined) setOption(fd, IPPROTO_IP, IP_MINTTL, o.minTtl)
  } else {
    setOption(fd, IPPROTO_IPV6, IPV6_TCLASS, trafficClass)
    if (o.ttl !== undefined) setOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, o.ttl)
    if (o.minTtl !== undefined) setOption(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, o.minTtl)
  }
}

/** struct tcp_md5sig: sockaddr_storage, flags, prefix length, key length, interface index, key. */
function setMd5Key(fd: number, remote: IP, password: string, device: string | undefined): void {
  const key = Buffer.from(password)
  if (key.length > md5KeyMax) throw new RangeError(`a TCP-MD5 key has at most ${md5KeyMax} bytes`)
  const bytes = new Uint8Array(md5StructSize)
  bytes.set(inetAddress(remote, 0, scopeOf(remote, device)))
  new DataView(bytes.buffer).setUint16(130, key.length, true)
  bytes.set(key, 136)
  setOption(fd, IPPROTO_TCP, TCP_MD5SIG, bytes)
}

/** The interface index that a link-local address needs, else 0. */
export function scopeOf(ip: IP, device: string | undefined): number {
  if (!needsZone(ip) || device === undefined) return 0
  const index = interfaceIndex(device)
  if (index === 0) throw new SystemError('if_nametoindex', 19, device)
  return index
}

/** Without its interface such an address means nothing. */
function needsZone(ip: IP): boolean {
  return ip.family === 6 && isLinkLocal(ip)
}
