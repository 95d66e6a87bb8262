/** Layer 2 against the kernel's own ARP and NDP, in network namespaces. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultExcludes } from './core/interface-rules.ts'
import type { FromWorker, Layer2Part, WorkerMessage, WorkerOptions } from './messages.ts'
import { Segment, whyNoNamespaces } from './testing.ts'

const why = whyNoNamespaces()
const hosts = ['n1', 'n2', 'client']
const peers = [
  { node: 'n1', addresses: ['198.18.0.1', '2001:db8::1'] },
  { node: 'n2', addresses: ['198.18.0.2', '2001:db8::2'] },
]
const v4 = '198.18.0.100'
const v6 = '2001:db8::100'
const program = fileURLToPath(new URL('./testdata/speaker-process.ts', import.meta.url))

/** As `speaker-process.ts` prints it. */
interface State extends Layer2Part {
  readonly announced: Readonly<Record<string, readonly string[]>>
  readonly owners: Readonly<Record<string, string>>
}

type Printed =
  | WorkerMessage
  | { readonly kind: 'state'; readonly state: State }
  | Extract<FromWorker, { kind: 'left' }>

interface Running {
  readonly process: ChildProcess
  readonly messages: Printed[]
  state(): State | undefined
}

describe.skipIf(why !== undefined && process.env['LANDFALL_NO_SKIP'] !== '1')(
  `layer 2 in network namespaces${why === undefined ? '' : `: ${why}`}`,
  { timeout: 60_000 },
  () => {
    let segment: Segment
    const running: Running[] = []

    beforeEach(() => {
      segment = new Segment(hosts)
    })
    afterEach(async () => {
      for (const { process } of running.splice(0)) await end(process, 'SIGKILL')
      segment.remove()
    })

    function start(
      node: string,
      o: {
        candidates?: string[]
        interfaces?: string[]
        secret?: string
        family?: 4 | 6
        excludes?: string[]
      } = {},
    ): Running {
      const options = {
        node,
        // A second: a machine that others use keeps nobody from being heard for so long.
        timing: { intervalMs: 100, misses: 10 },
        port: 7946,
        bindAddress: '',
        excludes: o.excludes ?? defaultExcludes,
        refreshMs: 60_000,
        partition: 'serve',
        preferAfterMs: undefined,
        rebalanceMs: 0,
      } satisfies Omit<WorkerOptions, 'secret'>
      const { candidates: names = ['n1', 'n2'], interfaces = [], secret = 'secret', family = 4 } = o
      const candidates = names.map((name) => ({ node: name, weight: 0 }))
      const addresses = [v4, v6].map((ip) => ({ ip, unit: v4, candidates, interfaces }))
      const others = peers
        .filter(({ node: name }) => names.includes(name))
        .map((peer) => ({ ...peer, addresses: family === 4 ? peer.addresses : peer.addresses.slice(1) }))
      const child = segment.spawn(
        node,
        process.execPath,
        [program, JSON.stringify({ options, addresses, peers: others, secret })],
        'pipe',
      )
      const messages: Printed[] = []
      if (child.stdout === null) throw new Error('no stdout')
      createInterface({ input: child.stdout }).on('line', (line) => {
        const message: Printed = JSON.parse(line)
        messages.push(message)
      })
      const state = (): State | undefined => messages.findLast((m) => m.kind === 'state')?.state
      const one = { process: child, messages, state }
      running.push(one)
      return one
    }

    /** The first is there before the second, so that it is the owner. */
    const startBoth = async (family: 4 | 6 = 4): Promise<readonly [Running, Running]> => {
      const n1 = start('n1', { family })
      await until(() => owns(n1))
      const n2 = start('n2', { family })
      await until(() => n2.state()?.serving === true && n2.state()?.owners[v4] === 'n1')
      return [n1, n2]
    }
    const owns = (speaker: Running): boolean => announcedBy(speaker) === 2
    const announcedBy = (speaker: Running): number => Object.keys(speaker.state()?.announced ?? {}).length
    const answering = (address: string) => [...new Set(segment.arping('client', address, 20))]
    /** All who answer, once somebody does. */
    const macs = async (address: string): Promise<readonly string[]> => {
      let seen: readonly string[] = []
      await until(() => (seen = answering(address)).length > 0)
      return seen
    }

    test('one node answers, for both families, with the MAC of its interface', async () => {
      const [n1, n2] = await startBoth()
      expect(await macs(v4)).toEqual([segment.mac('n1')])
      await until(() => segment.ndisc('client', v6) === segment.mac('n1'))
      expect(n1.state()?.announced).toEqual({ [v4]: ['eth0'], [v6]: ['eth0'] })
      await until(() => n2.state()?.owners[v4] === 'n1' && n2.state()?.owners[v6] === 'n1')
      expect(announcedBy(n2)).toBe(0)
      const capabilities = readFileSync(`/proc/${n1.process.pid}/status`, 'utf8')
      expect(capabilities).toMatch(/^CapEff:\t0000000000002000$/m)
      for (const host of hosts) expect(segment.ip(host, 'addr')).not.toContain(v4)
      const asked = (): number =>
        n1.messages.reduce((sum, m) => (m.kind === 'counts' ? sum + (m.counts[v4]?.requests ?? 0) : sum), 0)
      await until(() => asked() >= 20)
    })

    test('the address is announced, and a client that knew another MAC follows', async () => {
      const n2 = start('n2', { candidates: ['n2'] })
      await until(() => owns(n2))
      const known = (mac: string): boolean =>
        [v4, v6].every((address) => segment.ip('client', 'neigh', 'show', address).includes(mac))
      const asked = (): boolean => {
        for (const address of [v4, v6]) segment.nsenter('client', 'ping', '-c', '1', '-W', '1', address)
        return known(segment.mac('n2'))
      }
      await expect.poll(asked).toBe(true)
      await end(n2.process, 'SIGKILL')
      const n1 = start('n1', { candidates: ['n1'] })
      await until(() => owns(n1) && known(segment.mac('n1')))
    })

    test('after SIGKILL of the owner the other answers, and keeps the addresses when it returns', async () => {
      const [n1, n2] = await startBoth()
      await end(n1.process, 'SIGKILL')
      const killedAt = performance.now()
      await until(() => segment.arping('client', v4).includes(segment.mac('n2')), 10)
      process.stdout.write(`layer 2: takeover after SIGKILL ${Math.round(performance.now() - killedAt)} ms\n`)
      await until(() => segment.ndisc('client', v6) === segment.mac('n2'))
      const changes = () => n2.messages.flatMap((m) => (m.kind === 'changes' ? m.changes : []))
      // It answers before it has said so.
      await until(() => changes().length > 1)
      expect(changes().map(({ ip, reason }) => `${ip} ${reason}`)).toEqual([
        `${v4} ownerDead`,
        `${v6} ownerDead`,
      ])
      const back = start('n1')
      await until(() => back.state()?.serving === true && back.state()?.coordinator === 'n1')
      await until(() => n2.state()?.coordinator === 'n1')
      expect([owns(n2), announcedBy(back)]).toEqual([true, 0])
      expect(await macs(v4)).toEqual([segment.mac('n2')])
    })

    test('a clean stop hands over at once, and nobody answers beside another', async () => {
      const [n1, n2] = await startBoth()
      n1.process.kill('SIGTERM')
      const stoppedAt = performance.now()
      await until(() => owns(n2), 1)
      process.stdout.write(
        `layer 2: takeover after SIGTERM ${Math.round(performance.now() - stoppedAt)} ms\n`,
      )
      expect(await macs(v4)).toEqual([segment.mac('n2')])
      const changes = () => n2.messages.flatMap((m) => (m.kind === 'changes' ? m.changes : []))
      await until(() => changes().length > 1)
      const reasons = changes()
      expect(new Set(reasons.map(({ reason }) => reason))).toEqual(new Set(['ownerLeft']))
      await until(() => n1.messages.some((m) => m.kind === 'left' && m.handedOver === 2))
      n2.process.kill('SIGTERM')
      await until(() => n2.messages.some((m) => m.kind === 'left' && m.handedOver === 0))
    })

    test('a frozen owner is replaced, and thawed it answers nothing', async () => {
      const [n1, n2] = await startBoth()
      n1.process.kill('SIGSTOP')
      await until(() => owns(n2))
      expect(await macs(v4)).toEqual([segment.mac('n2')])
      const capture = await segment.capture('client')
      n1.process.kill('SIGCONT')
      await until(() => announcedBy(n1) === 0 && n1.state()?.serving === true)
      expect(await macs(v4)).toEqual([segment.mac('n2')])
      const frames = (await capture()).filter((frame) => frame.includes(v4) || frame.includes(v6))
      expect(frames.length).toBeGreaterThan(0)
      expect(frames.filter((frame) => frame.includes(segment.mac('n1')))).toEqual([])
    })

    test('a side that was cut off serves on, and gives way when the cable is back', async () => {
      const [n1, n2] = await startBoth()
      segment.ip('lan', 'link', 'set', 'p-n1', 'down')
      await until(() => owns(n2))
      expect(await macs(v4)).toEqual([segment.mac('n2')])
      segment.ip('lan', 'link', 'set', 'p-n1', 'up')
      await until(() => owns(n1) !== owns(n2) && n2.state()?.coordinator === 'n1')
      await until(() => answering(v4).length === 1)
    })

    const carrier = { where: 'a cable that is back', cut: ['down'], mend: ['up'] }
    const trunk = { where: 'one behind the switch', cut: ['nomaster'], mend: ['master', 'br0'] }
    test.each([
      { ...carrier, family: 4, path: ['198.18.0.1', '198.18.0.2'] },
      { ...carrier, family: 6, path: ['2001:db8::1', '2001:db8::2'] },
      { ...trunk, family: 4, path: ['198.18.0.1', '198.18.0.2'] },
      { ...trunk, family: 6, path: ['2001:db8::1', '2001:db8::2'] },
    ] as const)('$where is used at once, heartbeats over IPv$family', async ({ family, path, cut, mend }) => {
      const [, n2] = await startBoth(family)
      const sides = [
        ['n1', path[1]],
        ['n2', path[0]],
      ] as const
      const retryAfter = (host: string, ms: number): string => {
        const setting = `/proc/sys/net/ipv${family}/neigh/eth0/retrans_time_ms`
        return segment.nsenter(host, 'sh', '-c', `echo ${ms} > ${setting}`)
      }
      for (const [host] of sides) retryAfter(host, 60_000)
      try {
        segment.ip('lan', 'link', 'set', 'p-n1', ...cut)
        await until(() => owns(n2) && n2.state()?.coordinator === 'n2')
        // Each kernel has asked in vain.
        for (const [host, other] of sides) {
          segment.ip(host, 'neigh', 'flush', other)
          await until(() => segment.ip(host, 'neigh', 'show', other).includes('INCOMPLETE'))
        }
        segment.ip('lan', 'link', 'set', 'p-n1', ...mend)
        await until(() => n2.state()?.coordinator === 'n1')
        expect(segment.ip('n1', 'neigh', 'show', path[1])).toContain(segment.mac('n2'))
      } finally {
        for (const [host] of sides) retryAfter(host, 1000)
        segment.ip('lan', 'link', 'set', 'p-n1', ...mend)
      }
    })

    test('a link that goes down and comes back, and one that is made anew, answer again', async () => {
      const n1 = start('n1', { candidates: ['n1'] })
      await until(() => owns(n1))
      for (let i = 0; i < 3; i++) {
        segment.ip('n1', 'link', 'set', 'eth0', 'down')
        expect(segment.arping('client', v4)).toEqual([])
        segment.ip('n1', 'link', 'set', 'eth0', 'up')
        await until(() => segment.arping('client', v4).includes(segment.mac('n1')))
        await until(() => segment.ndisc('client', v6) === segment.mac('n1'))
      }
      segment.ip('n1', 'link', 'del', 'eth0')
      await until(() => n1.state()?.announced[v4]?.length === 0)
      segment.plug('n1', 1)
      await until(() => segment.arping('client', v4).includes(segment.mac('n1')))
      await until(() => segment.ndisc('client', v6) === segment.mac('n1'))
    })

    test('a cable that stays out leaves no interface to answer on, one that is back at once does not', async () => {
      const n1 = start('n1', { candidates: ['n1'] })
      const on = () => n1.state()?.announced[v4]?.join()
      await until(() => on() === 'eth0')
      const before = n1.messages.length
      const flaps = 'for i in 1 2 3; do ip link set p-n1 down; ip link set p-n1 up; done'
      segment.nsenter('lan', 'sh', '-c', flaps)
      const since = () => n1.messages.slice(before).flatMap((m) => (m.kind === 'state' ? [m.state] : []))
      await until(() => since().length > 1)
      expect(new Set(since().map(({ announced }) => announced[v4]?.join()))).toEqual(new Set(['eth0']))
      segment.ip('lan', 'link', 'set', 'p-n1', 'down')
      await until(() => on() === '')
      segment.ip('lan', 'link', 'set', 'p-n1', 'up')
      await until(() => on() === 'eth0')
    })

    test('those on a new interface are told of the addresses, and nobody else again', async () => {
      const n1 = start('n1', { candidates: ['n1'] })
      const bursts = () =>
        n1.messages.reduce((sum, m) => (m.kind === 'counts' ? sum + (m.counts[v4]?.gratuitous ?? 0) : sum), 0)
      await until(() => owns(n1))
      // Until what it repeats is over, and counted.
      let before = Number.NaN
      while (bursts() !== before) {
        before = bursts()
        await new Promise((resolve) => setTimeout(resolve, 2500))
      }
      const capture = await segment.capture('client')
      try {
        segment.ip('n1', 'link', 'add', 'eni7', 'up', 'type', 'bridge')
        segment.ip('n1', ...'link add p-eni7 up master eni7 type veth peer name veth7'.split(' '))
        segment.ip('n1', 'link', 'set', 'veth7', 'up')
        await until(() => bursts() >= before + 3)
      } finally {
        for (const name of ['veth7', 'eni7']) segment.ip('n1', 'link', 'del', name)
      }
      expect((await capture()).filter((frame) => frame.includes(v4) || frame.includes(v6))).toEqual([])
    })

    test('only the interfaces that are asked for answer, and on one that is asked for later clients are told', async () => {
      const n1 = start('n1', { candidates: ['n1'], interfaces: ['eth7'] })
      await until(() => owns(n1))
      expect(segment.arping('client', v4)).toEqual([])
      expect(n1.state()?.announced[v4]).toEqual([])
      // Until what it would repeat anyway is over.
      await new Promise((resolve) => setTimeout(resolve, 6000))
      for (const ip of [v4, v6])
        segment.ip(
          'client',
          'neigh',
          'replace',
          ip,
          'lladdr',
          '02:00:00:00:00:99',
          'nud',
          'stale',
          'dev',
          'eth0',
        )
      const candidates = [{ node: 'n1', weight: 0 }]
      const addresses = [v4, v6].map((ip) => ({ ip, unit: v4, candidates, interfaces: ['eth0'] }))
      n1.process.stdin?.write(`${JSON.stringify(addresses)}\n`)
      const known = (ip: string) => segment.ip('client', 'neigh', 'show', ip).includes(segment.mac('n1'))
      await until(() => known(v4) && known(v6))
    })

    test('a worker that hangs ends the process', async () => {
      // It takes for ever to see that this is not the name of the one that comes later.
      const n1 = start('n1', { candidates: ['n1'], excludes: ['^lo$', '^((((x+)+)+)+)+y$'] })
      await until(() => owns(n1))
      const ended = once(n1.process, 'exit')
      try {
        segment.ip(
          'n1',
          'link',
          'add',
          'x'.repeat(15),
          'address',
          '02:00:00:00:00:98',
          'up',
          'type',
          'bridge',
        )
        expect(await ended).toEqual([null, 'SIGKILL'])
      } finally {
        segment.ip('n1', 'link', 'del', 'x'.repeat(15))
      }
    })

    test('of speakers with different secrets the later leaves to the other what that one answers for', async () => {
      const n1 = start('n1')
      await until(() => owns(n1))
      const n2 = start('n2', { secret: 'other' })
      await until(() => n2.state()?.serving === true && n2.state()?.members[0]?.state === 'stranger')
      const refused = (m: Printed): boolean => m.kind === 'refusedHeartbeats' && m.reason === 'notAuthentic'
      await until(() => n1.messages.some(refused) && n2.messages.some(refused))
      expect([n1.state()?.members, announcedBy(n2)]).toMatchObject([[{ node: 'n2', state: 'dead' }], 0])
      expect(await macs(v4)).toEqual([segment.mac('n1')])
      await end(n1.process, 'SIGKILL')
      await until(() => owns(n2))
    })

    test('without a secret they hear each other too', async () => {
      const n1 = start('n1', { secret: '' })
      await until(() => owns(n1))
      const n2 = start('n2', { secret: '' })
      await until(() => n2.state()?.owners[v4] === 'n1')
      await until(() => n1.state()?.members[0]?.state === 'serving')
      expect(await macs(v4)).toEqual([segment.mac('n1')])
    })
  },
)

test('a worker that dies ends the process', async () => {
  const options = { node: 'n1', timing: { intervalMs: 100, misses: 6 }, port: 0, bindAddress: '127.0.0.1' }
  const broken = { ...options, excludes: ['('], refreshMs: 0, partition: 'serve', rebalanceMs: 0 }
  const input = JSON.stringify({ options: broken, addresses: [], peers: [], secret: '' })
  const child = spawn(process.execPath, [program, input], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [[code], [text]] = await Promise.all([once(child, 'exit'), once(child.stderr, 'data')])
  expect({ code, text: String(text) }).toEqual({ code: 1, text: expect.stringContaining('Invalid regular') })
})

async function until(holds: () => boolean, everyMs = 20): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`still not after 30 s: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}
