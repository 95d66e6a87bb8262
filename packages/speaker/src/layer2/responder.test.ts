/** The responder alone against the kernel's own ARP and NDP, in network namespaces. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ipBytes, parseIP } from '@landfall/netip'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checksum, solicitedNodeGroup } from './codec/ndp.ts'
import { Segment, whyNoNamespaces } from './testing.ts'

const why = whyNoNamespaces()
const v4 = '198.18.0.100'
/** The last 24 bits are the same. */
const [v6, twin] = ['2001:db8::1:ab:cdef', '2001:db8::2:ab:cdef'] as const
const program = (name: string): string => fileURLToPath(new URL(`./testdata/${name}.ts`, import.meta.url))

interface Told {
  readonly event: string
  readonly [field: string]: unknown
}

describe.skipIf(why !== undefined && process.env['LANDFALL_NO_SKIP'] !== '1')(
  `the responder in network namespaces${why === undefined ? '' : `: ${why}`}`,
  { timeout: 60_000 },
  () => {
    let segment: Segment
    let child: ChildProcess
    let told: Told[]
    let number = 1

    beforeEach(() => {
      segment = new Segment(['node', 'client'])
    })
    afterEach(() => {
      child?.kill('SIGKILL')
      segment.remove()
    })

    async function start(): Promise<void> {
      child = segment.spawn('node', process.execPath, [program('responder-process')], 'pipe')
      if (child.stdout === null) throw new Error('no stdout')
      const lines: Told[] = []
      told = lines
      createInterface({ input: child.stdout }).on('line', (line) => {
        const one: Told = JSON.parse(line)
        lines.push(one)
      })
      await until(() => lines.some(({ event }) => event === 'ready'))
    }

    async function change(what: object): Promise<void> {
      const before = told.length
      child.stdin?.write(`${JSON.stringify(what)}\n`)
      await until(() => told.slice(before).some(({ event }) => event === 'changed'))
    }

    const answers = (address: string): boolean =>
      (address.includes(':') ? [segment.ndisc('client', address)] : segment.arping('client', address)).some(
        (mac) => mac !== '' && mac === segment.mac('node'),
      )
    const replug = (): void => segment.plug('node', number)
    const groups = (): string => segment.nsenter('node', 'cat', '/proc/net/igmp6')
    /** Advertisements that come back. */
    const exchange = (...frames: Uint8Array[]): string[] =>
      segment
        .nsenter('client', process.execPath, program('frame-exchange'), 'eth0', ...frames.map(hex))
        .split('\n')
        .filter((line) => line.slice(108, 110) === '88')
    /** Asks again until so many come in time. */
    const exchanged = async (count: number, ...frames: Uint8Array[]): Promise<string[]> => {
      let seen: string[] = []
      await until(() => (seen = exchange(...frames)).length >= count)
      return seen
    }

    test('only what is owned answers, and nothing once the right to it is gone', async () => {
      await start()
      await change({ own: [v4, v6] })
      await expect.poll(() => [v4, v6].map(answers)).toEqual([true, true])
      expect(['198.18.0.101', twin].map(answers)).toEqual([false, false])
      await change({ mayAnswer: false })
      expect([v4, v6].map(answers)).toEqual([false, false])
      await change({ mayAnswer: true })
      await expect.poll(() => [v4, v6].map(answers)).toEqual([true, true])
      await change({ disown: [v4, v6] })
      expect([v4, v6].map(answers)).toEqual([false, false])
    })

    test('two addresses share a solicited-node group until the last of them goes', async () => {
      await start()
      await change({ own: [v6, twin] })
      await until(() => groups().includes('01ffabcdef'))
      await expect.poll(() => [v6, twin].map(answers)).toEqual([true, true])
      await change({ disown: [v6] })
      await expect.poll(() => [v6, twin].map(answers)).toEqual([false, true])
      await change({ disown: [twin] })
      await until(() => !groups().includes('01ffabcdef'))
    })

    test('more groups than one socket takes are all joined', async () => {
      await start()
      const count = 3000
      const own = Array.from({ length: count }, (_, i) => `2001:db8::77${hexOf(i >> 8)}:${hexOf(i & 0xff)}`)
      await change({ own })
      const joined = (): number => groups().match(/01ff[0-9a-f]{6}/g)?.length ?? 0
      await until(() => joined() >= count)
      await expect.poll(() => answers(own.at(-1) ?? '')).toBe(true)
      await change({ disown: own })
      await until(() => joined() < 10)
    })

    test.each([
      ['ARP', (i: number) => `198.18.${64 + (i >> 8)}.${i & 0xff}`],
      // All of one solicited-node group.
      ['NDP', (i: number) => `fd00::${(i + 1).toString(16)}:ab:cdef`],
    ])('a burst of 10,000 requests for 5,000 addresses, %s, is answered whole', async (_, address) => {
      await start()
      const targets = Array.from({ length: 5000 }, (_, i) => address(i))
      await change({ own: targets, quiet: true })
      const load = JSON.stringify({ kind: 'burst', targets, times: 2, waitMs: 30_000 })
      // It has yet to begin when all of them are there.
      child.kill('SIGSTOP')
      const asking = segment.spawn('client', process.execPath, [program('neighbor-load'), load])
      setTimeout(() => child.kill('SIGCONT'), 2000)
      const [line] = await once(createInterface({ input: asking.stdout ?? process.stdin }), 'line')
      expect(JSON.parse(String(line))).toMatchObject({ answers: 10_000, refused: 0 })
    })

    test('a group that cannot be joined: the card lets all of them through', async () => {
      await start()
      execFileSync('prlimit', ['--pid', String(child.pid), '--nofile=3:3'])
      await change({ own: [v6] })
      await until(() => told.some(({ event }) => event === 'joinGroupFailed'))
      await expect.poll(() => segment.ip('node', '-d', 'link', 'show', 'eth0')).toContain('allmulti 1')
      await expect.poll(() => answers(v6)).toBe(true)
    })

    test('probes, long and malformed solicitations by the RFC', async () => {
      await start()
      await change({ own: [v6], quiet: true })
      const probe = await exchanged(1, solicitation({ source: '::', options: [] }))
      expect(probe.map((frame) => [frame.slice(0, 12), frame.slice(116, 118)])).toEqual([
        ['333300000001', '20'],
      ])
      const nonce = [14, 30, ...Array<number>(238).fill(7)]
      const asked = await exchanged(
        2,
        solicitation(),
        solicitation({ options: [1, 1, 2, 0, 0, 0, 0, 7, ...nonce] }),
      )
      expect(asked.map((frame) => [frame.slice(0, 12), frame.slice(116, 118)])).toEqual([
        ['020000000007', '40'],
        ['020000000007', '40'],
      ])
      expect(exchange(solicitation({ hopLimit: 254 }), solicitation({ damage: true }))).toEqual([])
      segment.nsenter('client', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad')
      segment.ip('client', 'addr', 'add', `${v6}/64`, 'dev', 'eth0')
      await until(() => segment.ip('client', 'addr', 'show', 'dev', 'eth0').includes('dadfailed'))
      segment.ip('client', 'addr', 'del', `${v6}/64`, 'dev', 'eth0')
    })

    test('down and up, deleted and made anew', async () => {
      await start()
      await change({ own: [v4, v6] })
      for (let i = 0; i < 3; i++) {
        segment.ip('node', 'link', 'set', 'eth0', 'down')
        expect(answers(v4)).toBe(false)
        segment.ip('node', 'link', 'set', 'eth0', 'up')
        await until(() => answers(v4) && answers(v6))
      }
      for (let i = 0; i < 3; i++) {
        segment.ip('node', 'link', 'del', 'eth0')
        await until(() => lastInterfaces(told, v4)?.length === 0)
        replug()
        await until(() => answers(v4) && answers(v6))
      }
    })

    test('a client that knew another MAC follows a link that returns', async () => {
      await start()
      await change({ own: [v4, v6] })
      segment.ip('node', 'link', 'set', 'eth0', 'down')
      const other = '02:00:00:00:00:99'
      for (const address of [v4, v6])
        segment.ip('client', 'neigh', 'replace', address, 'lladdr', other, 'nud', 'stale', 'dev', 'eth0')
      const known = (address: string): boolean =>
        segment.ip('client', 'neigh', 'show', address).includes(segment.mac('node'))
      expect([v4, v6].map(known)).toEqual([false, false])
      segment.ip('node', 'link', 'set', 'eth0', 'up')
      await until(() => known(v4) && known(v6))
    })

    test("the node's own kernel, which would tell clients, knows no other owner of what is announced", async () => {
      await start()
      const other = '02:00:00:00:00:99'
      for (const address of [v6, twin])
        segment.ip('node', 'neigh', 'replace', address, 'lladdr', other, 'nud', 'stale', 'dev', 'eth0')
      await change({ own: [v6] })
      const known = (address: string): string => segment.ip('node', 'neigh', 'show', address)
      await until(() => known(v6).includes(segment.mac('node')))
      expect(known(twin)).toContain(other)
    })

    test('a storm of flaps and renames ends with one that answers', async () => {
      await start()
      await change({ own: [v4, v6] })
      const storm =
        'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do ip link set eth0 down; ip link set eth0 up; done'
      segment.nsenter('node', 'sh', '-c', storm)
      await until(() => answers(v4) && answers(v6))
      await change({ disown: [v4, v6] })
      await change({ own: [v4, v6], only: ['lan0'] })
      expect([v4, v6].map(answers)).toEqual([false, false])
      const rename = (from: string, to: string): string =>
        segment.nsenter('node', 'sh', '-c', `ip link set ${from} down; ip link set ${from} name ${to} up`)
      rename('eth0', 'lan0')
      await until(() => lastInterfaces(told, v6)?.[0] === 'lan0')
      await until(() => segment.arping('client', v4).length === 1 && segment.ndisc('client', v6) !== '')
      rename('lan0', 'eth0')
      await until(() => lastInterfaces(told, v4)?.length === 0)
      expect([v4, v6].map(answers)).toEqual([false, false])
    })

    test('what netlink lost to an overrun is found by a new dump', async () => {
      await start()
      await change({ own: [v4] })
      await until(() => answers(v4))
      child.kill('SIGSTOP')
      const storm = Array.from({ length: 3000 }, (_, i) => `link set eth0 mtu ${1400 + (i % 2)}`)
      const last = ['link set eth0 address 02:00:00:00:0a:0a', 'link set eth0 mtu 1500']
      segment.nsenter('node', 'sh', '-c', `printf '${[...storm, ...last].join('\\n')}' | ip -batch -`)
      child.kill('SIGCONT')
      await until(() => segment.arping('client', v4).join() === '02:00:00:00:0a:0a')
      await expect
        .poll(() => told.findLast(({ event }) => event === 'interfaces')?.['returned'])
        .toEqual(['eth0'])
    })

    test('a member of a bridge is silent, the bridge answers', async () => {
      await start()
      await change({ own: [v4] })
      segment.ip('node', 'link', 'add', 'br7', 'type', 'bridge')
      segment.ip('node', 'link', 'set', 'br7', 'address', '02:00:00:00:07:07', 'up')
      segment.ip('node', 'link', 'set', 'eth0', 'master', 'br7')
      await until(() => segment.arping('client', v4).join() === '02:00:00:00:07:07')
      expect(new Set(segment.arping('client', v4, 10))).toEqual(new Set(['02:00:00:00:07:07']))
      segment.ip('node', 'link', 'set', 'eth0', 'nomaster')
      segment.ip('node', 'link', 'del', 'br7')
      await until(() => answers(v4))
    })
  },
)

interface Shape {
  readonly source?: string
  readonly options?: readonly number[]
  readonly hopLimit?: number
  readonly damage?: boolean
}

/** A solicitation for `v6` from 02:00:00:00:00:07. */
function solicitation(shape: Shape = {}): Uint8Array {
  const { source = 'fe80::7', options = [1, 1, 2, 0, 0, 0, 0, 7], hopLimit = 255 } = shape
  const length = 24 + options.length
  const group = solicitedNodeGroup(bytesOf(v6))
  const ethernet = [0x33, 0x33, ...group.slice(12), 2, 0, 0, 0, 0, 7, 0x86, 0xdd]
  const ip = [0x60, 0, 0, 0, length >> 8, length & 0xff, 58, hopLimit, ...bytesOf(source), ...group]
  const icmp = [135, 0, 0, 0, 0, 0, 0, 0, ...bytesOf(v6), ...options]
  const frame = Uint8Array.of(...ethernet, ...ip, ...icmp)
  const sum = checksum(bytesOf(source), group, frame.subarray(54))
  frame.set([sum >> 8, (sum & 0xff) ^ (shape.damage === true ? 1 : 0)], 56)
  return frame
}

function bytesOf(text: string): Uint8Array {
  const ip = parseIP(text)
  if (ip === undefined) throw new Error(text)
  return ipBytes(ip)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function hexOf(value: number): string {
  return value.toString(16).padStart(2, '0')
}

/** Where the address answers after the last change of interfaces. */
function lastInterfaces(told: readonly Told[], address: string): readonly string[] | undefined {
  const last = told.findLast(({ event }) => event === 'interfaces')?.['interfaces']
  return (last as Readonly<Record<string, readonly string[]>> | undefined)?.[address]
}

async function until(holds: () => boolean, everyMs = 10): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`still not after 30 s: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
