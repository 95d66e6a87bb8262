/**
 * The responder on a segment of its own (namespaces: node, client, noise on a bridge): latency of its answers beside
 * the kernel's in the same run, at rest and under noise; bursts; announcements of a takeover; CPU and memory. The
 * client is a Node process too, so that its own wake-up is in every latency, the kernel's included.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const family = 'lfb2'
const prefix = `${family}-${process.pid}`
const namespaces = '/run/netns'
const hosts = ['node', 'client', 'noise'] as const
type Host = (typeof hosts)[number]
const kernel = ['198.18.0.1', '2001:db8::1'] as const
const noisePerSecond = 20_000
const pacedCount = 6000
const manyAddresses = 5000
const takenOver = 1000

const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = join(root, 'packages/speaker/src/layer2/testdata')
const bundles = mkdtempSync(join(tmpdir(), `${prefix}-`))

const addresses = (count: number, version: 4 | 6): readonly string[] =>
  Array.from({ length: count }, (_, i) =>
    version === 4 ? `198.18.${64 + (i >> 8)}.${i & 255}` : `2001:db8::64:${(i + 1).toString(16)}`,
  )

export async function benchLayer2(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('needs root to make network namespaces')
  removeOrphans()
  try {
    await bundle()
    makeSegment()
    await answers()
    await bursts()
    await takeover()
    await links()
  } finally {
    removeSegments(process.pid)
    rmSync(bundles, { recursive: true })
  }
}

async function answers(): Promise<void> {
  const responder = await Responder.start()
  const [v4, v6] = [addresses(8, 4), addresses(8, 6)]
  await responder.ask({ own: [...v4, ...v6], quiet: true })
  await paced(v4, v6)
  table(['answers (µs)', 'p50', 'p99', 'p99.9', 'lost', 'CPU %'])
  for (const noisy of [false, true]) {
    const before = await responder.usage()
    const startedAt = performance.now()
    const ms = pacedCount * 2
    const noise = noisy
      ? load('noise', { kind: 'noise', target: '198.18.0.99', perSecond: noisePerSecond, ms })
      : undefined
    const figures = await paced(v4, v6)
    const after = await responder.usage()
    const cpu =
      (after.user + after.system - before.user - before.system) / (performance.now() - startedAt) / 10
    for (const [name, { times, lost }] of Object.entries(figures))
      row([
        `${name}${noisy ? ', noise' : ''}`,
        ...[0.5, 0.99, 0.999].map((part) => quantile(times, part).toFixed(0)),
        String(lost),
        name.startsWith('kernel') ? '' : cpu.toFixed(1),
      ])
    if (noise !== undefined) {
      const { perSecond } = (await noise) as { perSecond: number }
      process.stdout.write(`noise: ${perSecond.toFixed(0)} requests/s for an address that nobody has\n`)
    }
  }
  responder.end()
}

type Latencies = Record<string, { readonly times: readonly number[]; readonly lost: number }>

async function paced(v4: readonly string[], v6: readonly string[]): Promise<Latencies> {
  const latencies: Latencies = {}
  for (const [protocol, own, theirs] of [
    ['ARP', v4, kernel[0]],
    ['NDP', v6, kernel[1]],
  ] as const) {
    const targets = own.flatMap((address) => [address, theirs]).slice(0, 2 * own.length)
    const unique = [...new Set(targets)]
    const result = await load('client', { kind: 'paced', targets: unique, count: pacedCount / 2 })
    const { times, lost } = result as { times: readonly (readonly number[])[]; lost: number }
    const at = unique.indexOf(theirs)
    latencies[`kernel ${protocol}`] = { times: times[at] ?? [], lost: 0 }
    latencies[`Landfall ${protocol}`] = { times: times.filter((_, i) => i !== at).flat(), lost }
  }
  return latencies
}

async function bursts(): Promise<void> {
  const responder = await Responder.start()
  const families = { ARP: addresses(manyAddresses, 4), NDP: addresses(manyAddresses, 6) }
  await responder.ask({ own: [...families.ARP, ...families.NDP], quiet: true })
  await sleep(1000)
  process.stdout.write('\n')
  table([`${manyAddresses} addresses`, 'requests', 'answered', 'ms', 'longest turn', 'RSS MiB'])
  for (const [protocol, targets] of Object.entries(families))
    for (const frozen of [false, true]) {
      await responder.usage()
      if (frozen) responder.signal('SIGSTOP')
      const asked = load('client', { kind: 'burst', targets, times: 2, waitMs: 2000 })
      if (frozen) {
        await sleep(1000)
        responder.signal('SIGCONT')
      }
      const { answers, lastAfterMs } = (await asked) as { answers: number; lastAfterMs: number }
      const { longestTurn, rss } = await responder.usage()
      row([
        `${protocol} burst${frozen ? ', frozen' : ''}`,
        String(2 * targets.length),
        String(answers),
        frozen ? '' : lastAfterMs.toFixed(0),
        frozen ? '' : longestTurn.toFixed(1),
        (rss / 2 ** 20).toFixed(0),
      ])
    }
  responder.end()
}

async function takeover(): Promise<void> {
  process.stdout.write('\n')
  table(['taken over', 'addresses', 'announced', 'ms to the last', 'longest turn', 'RSS MiB'])
  for (const count of [1, takenOver, manyAddresses]) {
    const responder = await Responder.start()
    const own = [...addresses(Math.ceil(count / 2), 4), ...addresses(Math.floor(count / 2), 6)]
    const child = start(
      'client',
      'neighbor-load',
      JSON.stringify({ kind: 'listen', addresses: count, ms: 5000 }),
    )
    const lines = linesOf(child)
    await once(lines, 'line')
    await responder.usage()
    const at = Number(process.hrtime.bigint()) / 1e6
    await responder.ask({ own })
    const [line] = (await once(lines, 'line')) as [string]
    const heard = JSON.parse(line) as { addresses: number; last: number }
    await sleep(1500)
    const { longestTurn, rss } = await responder.usage()
    row([
      'at once',
      String(count),
      String(heard.addresses),
      (heard.last - at).toFixed(1),
      longestTurn.toFixed(1),
      (rss / 2 ** 20).toFixed(0),
    ])
    responder.end()
  }
}

/** From the end of the command that brings a link back until the responder answers on it. */
async function links(): Promise<void> {
  const responder = await Responder.start()
  await responder.ask({ own: [...addresses(50, 4), ...addresses(50, 6)] })
  process.stdout.write('\n')
  table(['links return (ms)', 'times', 'median', 'worst'])
  const [port, cable] = ['ip link set p0', `ip link add p0 type veth peer name eth0 netns ${prefix}-node`]
  const ways = {
    'down, up': ['node', 'ip link set eth0 down', 'ip link set eth0 up'],
    'carrier cut, back': ['lan', `${port} down`, `${port} up`],
    'deleted, made anew': [
      'lan',
      'ip link del p0',
      `${cable} && ${port} master br0 up && ip -n ${prefix}-node link set eth0 up`,
    ],
  } as const
  for (const [name, [where, cut, mend]] of Object.entries(ways)) {
    const times: number[] = []
    for (let i = 0; i < 20; i++) {
      inside(where, cut)
      await sleep(50)
      const returned = responder.returned()
      inside(where, mend)
      const from = performance.now()
      times.push((await returned) - from)
      await sleep(50)
    }
    row([name, String(times.length), quantile(times, 0.5).toFixed(1), Math.max(...times).toFixed(1)])
  }
  responder.end()
}

interface Usage {
  readonly user: number
  readonly system: number
  readonly rss: number
  /** By how many ms a 5 ms timer was late at most, since the last time. */
  readonly longestTurn: number
}

class Responder {
  readonly #child: ChildProcess
  readonly #lines: Interface

  static async start(): Promise<Responder> {
    const child = start('node', 'responder-process')
    const responder = new Responder(child)
    await responder.#told('ready')
    return responder
  }

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#lines = linesOf(child)
  }

  async ask(change: object): Promise<void> {
    const done = this.#told('changed')
    this.#child.stdin?.write(`${JSON.stringify(change)}\n`)
    await done
  }

  async usage(): Promise<Usage> {
    const told = this.#told('usage')
    await this.ask({ usage: true })
    return (await told) as Usage
  }

  /** When it next tells that it answers on an interface, in ms. */
  returned(): Promise<number> {
    return new Promise((resolve) => {
      const look = (line: string): void => {
        const told = JSON.parse(line) as { readonly event: string; readonly returned?: readonly string[] }
        if (told.event !== 'interfaces' || told.returned?.includes('eth0') !== true) return
        this.#lines.off('line', look)
        resolve(performance.now())
      }
      this.#lines.on('line', look)
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  #told(event: string): Promise<unknown> {
    return new Promise((resolve) => {
      const look = (line: string): void => {
        const told = JSON.parse(line) as { readonly event: string }
        if (told.event !== event) return
        this.#lines.off('line', look)
        resolve(told)
      }
      this.#lines.on('line', look)
    })
  }
}

async function load(host: Host, what: object): Promise<unknown> {
  const child = start(host, 'neighbor-load', JSON.stringify(what))
  const [line] = (await once(linesOf(child), 'line')) as [string]
  const result: unknown = JSON.parse(line)
  return result
}

/** As the image runs it: bundled, with its settings for the heap. */
async function bundle(): Promise<void> {
  await build({
    entryPoints: ['responder-process', 'neighbor-load'].map((name) => join(programs, `${name}.ts`)),
    outdir: bundles,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    external: ['koffi'],
    logLevel: 'warning',
  })
}

function start(host: Host, program: string, ...args: string[]): ChildProcess {
  const net = `--net=/run/netns/${prefix}-${host}`
  const file = join(bundles, `${program}.js`)
  return spawn('nsenter', [net, process.execPath, file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      NODE_PATH: join(root, 'packages/net/node_modules'),
      NODE_OPTIONS: '--max-semi-space-size=1 --v8-pool-size=1',
    },
  })
}

function linesOf(child: ChildProcess): Interface {
  if (child.stdout === null) throw new Error('no standard output')
  return createInterface({ input: child.stdout })
}

function makeSegment(): void {
  run('ip', 'netns', 'add', `${prefix}-lan`)
  inside('lan', 'ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up')
  for (const [i, host] of hosts.entries()) {
    run('ip', 'netns', 'add', `${prefix}-${host}`)
    inside('lan', `ip link add p${i} type veth peer name eth0 netns ${prefix}-${host}`)
    inside('lan', `ip link set p${i} master br0 up`)
    inside(host, 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad')
    inside(host, `ip link set lo up; ip link set eth0 up; ip addr add 198.18.0.${i + 1}/16 dev eth0`)
    inside(host, `ip addr add 2001:db8::${i + 1}/64 dev eth0 nodad`)
  }
}

function removeSegments(pid: number): void {
  for (const name of readdirSync(namespaces))
    if (name.startsWith(`${family}-${pid}-`)) run('ip', 'netns', 'del', name)
}

/** Namespaces of runs that were killed. */
function removeOrphans(): void {
  if (!existsSync(namespaces)) return
  for (const name of readdirSync(namespaces)) {
    const pid = new RegExp(`^${family}-(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeSegments(Number(pid))
  }
}

function inside(name: string, script: string): void {
  run('nsenter', `--net=/run/netns/${prefix}-${name}`, 'sh', '-ec', script)
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

function table(heads: readonly string[]): void {
  row(heads)
}

function row([name = '', ...cells]: readonly string[]): void {
  process.stdout.write(`${name.padEnd(22)}${cells.map((cell) => cell.padStart(15)).join('')}\n`)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
