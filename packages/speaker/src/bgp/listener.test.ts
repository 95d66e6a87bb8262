/** Who may dial, on real sockets of loopback. */
import { once } from 'node:events'
import type net from 'node:net'
import { type ListenOptions, listenTcp, openTcpSocket, SystemError, type TcpListener } from '@landfall/net'
import { type IP, parseIP } from '@landfall/netip'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, expect, test } from 'vitest'
import { type Caller, Listener } from './listener.ts'

const ip = (text: string): IP => parseIP(text) ?? expect.unreachable(text)
const [router, other, node, alias] = ['127.0.0.71', '127.0.0.72', '127.0.0.1', '127.0.0.2']

const sockets: net.Socket[] = []
const listeners: Listener[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const listener of listeners.splice(0)) await listener.close()
})

class Site {
  /** Who got which call, in order. */
  readonly calls: string[] = []
  readonly listener: Listener
  #port = 0

  constructor() {
    this.listener = new Listener(0, silentLogger(), (options) => this.#listen(options))
    listeners.push(this.listener)
  }

  #listen(options: ListenOptions): TcpListener {
    const listener = listenTcp(options)
    const address = listener.server.address()
    if (options.local.family === 4 && typeof address === 'object') this.#port = address?.port ?? 0
    return listener
  }

  caller(name: string, more: Partial<Caller> = {}): Caller {
    return {
      address: ip(router),
      password: undefined,
      local: () => undefined,
      waits: () => true,
      accept: (socket) => {
        sockets.push(socket)
        this.calls.push(name)
        socket.write('O')
      },
      ...more,
    }
  }

  /** What comes of it: an answer, its end, or nothing, as a wrong key has it. */
  async dial(
    from: string,
    { to = node, waitMs = 20_000, ...rest }: { to?: string; md5Password?: string; waitMs?: number } = {},
  ): Promise<string> {
    const socket = openTcpSocket({ remote: ip(to), local: ip(from), port: this.#port, ...rest })
    sockets.push(socket)
    socket.on('error', () => {})
    const silence = new Promise<string>(
      (resolve) => void setTimeout(() => resolve('nothing'), waitMs).unref(),
    )
    const answer = once(socket, 'data').then(() => 'answer')
    const end = once(socket, 'close').then(() => 'end')
    return await Promise.race([answer, end, silence])
  }
}

test('who is no peer is not answered, nor who dials another address than the session has', async () => {
  const site = new Site()
  site.listener.setCallers([site.caller('router', { local: () => ip(node) })])
  expect(await site.dial(other)).toBe('end')
  expect(await site.dial(router, { to: alias })).toBe('end')
  expect(await site.dial(router)).toBe('answer')
  expect(site.calls).toEqual(['router'])
})

test('a password is asked of its peer alone, follows a change, and goes with it', async () => {
  const site = new Site()
  const asks = (password: string | undefined) =>
    site.listener.setCallers([
      site.caller('router', { password }),
      site.caller('other', { address: ip(other) }),
    ])
  asks('first')
  expect(await site.dial(router, { waitMs: 400 })).toBe('nothing')
  expect(await site.dial(router, { md5Password: 'first' })).toBe('answer')
  expect(await site.dial(other)).toBe('answer')
  asks('second')
  expect(await site.dial(router, { md5Password: 'first', waitMs: 400 })).toBe('nothing')
  expect(await site.dial(router, { md5Password: 'second' })).toBe('answer')
  asks(undefined)
  expect(await site.dial(router)).toBe('answer')
  site.listener.setCallers([])
  expect(await site.dial(router)).toBe('end')
})

test('of two peers at one address each gets the calls to its own, or the one that waits', async () => {
  const site = new Site()
  site.listener.setCallers([
    site.caller('first', { local: () => ip(node) }),
    site.caller('second', { local: () => ip(alias) }),
  ])
  await site.dial(router, { to: alias })
  await site.dial(router)
  expect(site.calls.splice(0)).toEqual(['second', 'first'])
  const busy = new Set<string>()
  site.listener.setCallers(
    ['first', 'second'].map((name) => site.caller(name, { waits: () => !busy.has(name) })),
  )
  await site.dial(router)
  busy.add('first')
  await site.dial(router)
  busy.add('second')
  await site.dial(router)
  expect(site.calls).toEqual(['first', 'second', 'first'])
})

test('where the kernel has no IPv6, IPv4 is listened on; a port that is taken is an error', async () => {
  const families: number[] = []
  const without = (code: number) => (options: ListenOptions) => {
    if (options.local.family === 6) throw new SystemError('socket', code, 'IPv6')
    families.push(options.local.family)
    return listenTcp(options)
  }
  listeners.push(new Listener(0, silentLogger(), without(97)))
  expect(families).toEqual([4])
  expect(() => new Listener(0, silentLogger(), without(98))).toThrow(/EADDRINUSE/)
})
