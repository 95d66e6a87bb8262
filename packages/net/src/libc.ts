/**
 * The only foreign-function calls of the workspace: the libc functions that Node does not offer, called
 * synchronously, and the readiness watch on a file descriptor. Little-endian 64-bit Linux (x86-64, arm64); the
 * process's own libc is used, so glibc and musl both work.
 *
 * In: plain numbers and byte arrays. Out: numbers; a failed call throws SystemError.
 */
import { getSystemErrorName } from 'node:util'
import koffi from 'koffi'

const libc = koffi.load(null)

type Bytes = Uint8Array
const cSocket: (domain: number, type: number, protocol: number) => number = libc.func(
  'int socket(int domain, int type, int protocol)',
)
const cSetsockopt: (fd: number, level: number, option: number, value: Bytes, length: number) => number =
  libc.func('int setsockopt(int fd, int level, int option, void *value, uint32_t length)')
const cGetsockopt: (fd: number, level: number, option: number, value: Bytes, length: Bytes) => number =
  libc.func('int getsockopt(int fd, int level, int option, void *value, void *length)')
const cBind: (fd: number, address: Bytes, length: number) => number = libc.func(
  'int bind(int fd, void *address, uint32_t length)',
)
const cRecv: (fd: number, buffer: Bytes, length: number, flags: number) => number = libc.func(
  'long recv(int fd, void *buffer, size_t length, int flags)',
)
const cSend: (fd: number, buffer: Bytes, length: number, flags: number) => number = libc.func(
  'long send(int fd, void *buffer, size_t length, int flags)',
)
const cSendto: (
  fd: number,
  buffer: Bytes,
  length: number,
  flags: number,
  address: Bytes,
  addressLength: number,
) => number = libc.func(
  'long sendto(int fd, void *buffer, size_t length, int flags, void *address, uint32_t addressLength)',
)
const cMmap: (
  address: null,
  length: number,
  access: number,
  flags: number,
  fd: number,
  at: number,
) => bigint = libc.func('void *mmap(void *address, size_t length, int access, int flags, int fd, long at)')
const cMunmap: (address: bigint, length: number) => number = libc.func(
  'int munmap(void *address, size_t length)',
)
const cMadvise: (address: bigint, length: bigint, advice: number) => number = libc.func(
  'int madvise(uintptr_t address, size_t length, int advice)',
)
const cClose: (fd: number) => number = libc.func('int close(int fd)')
const cDup: (fd: number) => number = libc.func('int dup(int fd)')
const cShutdown: (fd: number, how: number) => number = libc.func('int shutdown(int fd, int how)')
const cNameToIndex: (name: string) => number = libc.func('uint32_t if_nametoindex(const char *name)')

const SO_ERROR = 4
const SO_ATTACH_FILTER = 26
export const SOL_SOCKET = 1
const MSG_DONTWAIT = 0x40
const EINTR = 4
const EAGAIN = 11

/** A failed system call: `code` is the symbolic errno (`ENODEV`). */
export class SystemError extends Error {
  readonly code: string
  readonly syscall: string
  constructor(syscall: string, errno: number, what: string) {
    const code = getSystemErrorName(-errno)
    super(`${syscall} ${what}: ${code}`)
    this.name = 'SystemError'
    this.code = code
    this.syscall = syscall
  }
}

const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000

/** A non-blocking close-on-exec socket. */
export function openSocket(domain: number, type: number, protocol: number): number {
  const fd = cSocket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol)
  if (fd < 0) throw new SystemError('socket', koffi.errno(), `domain ${domain} type ${type}`)
  return fd
}

export function setOption(fd: number, level: number, option: number, value: number | Bytes): void {
  const bytes = typeof value === 'number' ? int32(value) : value
  if (cSetsockopt(fd, level, option, bytes, bytes.length) < 0)
    throw new SystemError('setsockopt', koffi.errno(), `level ${level} option ${option}`)
}

/** The first `size` bytes of its value; zeros where it is shorter. */
export function readOption(fd: number, level: number, option: number, size: number): DataView {
  const value = new Uint8Array(size)
  if (cGetsockopt(fd, level, option, value, int32(size)) < 0)
    throw new SystemError('getsockopt', koffi.errno(), `level ${level} option ${option}`)
  return new DataView(value.buffer)
}

/** Reads and so clears the pending error of a socket; 0 if there is none. */
export function takeSocketError(fd: number): number {
  const value = new Uint8Array(4)
  if (cGetsockopt(fd, SOL_SOCKET, SO_ERROR, value, int32(4)) < 0) return koffi.errno()
  return new DataView(value.buffer).getInt32(0, true)
}

/** `program` is an array of struct sock_filter in unpooled memory. */
export function attachFilter(fd: number, program: Bytes): void {
  const fprog = new Uint8Array(16)
  const view = new DataView(fprog.buffer)
  view.setUint16(0, program.length / 8, true)
  view.setBigUint64(8, koffi.address(program), true)
  setOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog)
}

export function bindSocket(fd: number, address: Bytes, what: string): void {
  if (cBind(fd, address, address.length) < 0) throw new SystemError('bind', koffi.errno(), what)
}

/** Bytes read into the buffer; undefined when nothing is queued. */
export function receive(fd: number, buffer: Bytes): number | undefined {
  for (;;) {
    const got = cRecv(fd, buffer, buffer.length, MSG_DONTWAIT)
    if (got >= 0) return got
    const errno = koffi.errno()
    if (errno === EAGAIN) return undefined
    if (errno !== EINTR) throw new SystemError('recv', errno, `fd ${fd}`)
  }
}

export function send(fd: number, bytes: Bytes): void {
  for (;;) {
    if (cSend(fd, bytes, bytes.length, MSG_DONTWAIT) >= 0) return
    const errno = koffi.errno()
    if (errno !== EINTR) throw new SystemError('send', errno, `fd ${fd}`)
  }
}

/** As `send`, to an address of a socket that is not connected. */
export function sendTo(fd: number, bytes: Bytes, address: Bytes): void {
  for (;;) {
    if (cSendto(fd, bytes, bytes.length, MSG_DONTWAIT, address, address.length) >= 0) return
    const errno = koffi.errno()
    if (errno !== EINTR) throw new SystemError('sendto', errno, `fd ${fd}`)
  }
}

/** Memory shared with the kernel. Not to be touched any more once `unmap` was called. */
export interface Mapping {
  readonly memory: ArrayBuffer
  unmap(): void
}

const readAndWrite = 3
const MAP_SHARED = 1
const mapFailed = 0xffff_ffff_ffff_ffffn

export function mapSocket(fd: number, length: number): Mapping {
  const address = cMmap(null, length, readAndWrite, MAP_SHARED, fd, 0)
  if (BigInt.asUintN(64, address) === mapFailed) throw new SystemError('mmap', koffi.errno(), `fd ${fd}`)
  return { memory: koffi.view(address, length), unmap: () => void cMunmap(address, length) }
}

const MADV_DONTNEED = 4

/** Takes pages out of the process's memory; those of a file that were not written to come back when they are touched. */
export function dropPages(address: bigint, length: bigint): void {
  if (cMadvise(address, length, MADV_DONTNEED) < 0)
    throw new SystemError('madvise', koffi.errno(), `0x${address.toString(16)} ${length}`)
}

export function closeFd(fd: number): void {
  cClose(fd)
}

/** A second descriptor of the same socket; undefined when the first is closed already. */
export function duplicateFd(fd: number): number | undefined {
  const copy = cDup(fd)
  return copy < 0 ? undefined : copy
}

/** Ends the connection in both directions, whoever else holds the socket. */
export function shutFd(fd: number): void {
  cShutdown(fd, 2)
}

/** 0 when there is no such interface. */
export function interfaceIndex(name: string): number {
  return cNameToIndex(name)
}

/** The watch on one file descriptor. Keep the object: a collected handle stops silently. */
export interface FdWatch {
  close(): void
}

/**
 * Calls `onReadable` whenever the fd can be read. A pending socket error (ENETDOWN of a link that went down,
 * ENOBUFS of an overrun) stops libuv's poll for good: it is cleared, the poll started anew, and `onError` told.
 */
export function watchReadable(fd: number, onReadable: () => void, onError?: () => void): FdWatch {
  const ready = (status: unknown): void => {
    if (typeof status === 'number' && status < 0) {
      takeSocketError(fd)
      handle.stop()
      handle.start({ readable: true }, ready)
      onError?.()
    }
    onReadable()
  }
  const handle = koffi.node.poll(fd, { readable: true }, ready)
  return { close: () => handle.close() }
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, true)
  return bytes
}
