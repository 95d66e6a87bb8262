/**
 * Layer 2 on a segment of its own (namespaces: node, client, noise on a bridge): latency of the responder's answers
 * beside the kernel's in the same run, at rest and under noise; bursts; a coordinator that owns everything dies, and
 * another one takes over; CPU and memory. The client is a Node process too, so that its own wake-up is in every
 * latency, the kernel's included.
 */
import { once } from 'node:events'
import {
  judgeAnswers,
  judgeBurst,
  judgeLinks,
  judgeNoise,
  judgeTakeover,
  type Latency,
} from './layer2-limits.ts'
import { bundle, linesOf, load, Program, removeBundles, start } from './layer2-programs.ts'
import { inside, makeSegment, prefix, removeSegment } from './layer2-segment.ts'

const kernel = ['198.18.0.1', '2001:db8::1'] as const
const noisePerSecond = 20_000
const pacedCount = 6000
const manyAddresses = 5000
const takenOver = 1000
/** The one that joined knows who holds what, and the other has said so for the last time. */
const takeoverSettleMs = 7000

const addresses = (count: number, version: 4 | 6): readonly string[] =>
  Array.from({ length: count }, (_, i) =>
    version === 4 ? `198.18.${64 + (i >> 8)}.${i & 255}` : `2001:db8::64:${(i + 1).toString(16)}`,
  )

/** @returns what is not as it should be */
export async function benchLayer2(): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) throw new Error('needs root to make network namespaces')
  try {
    await bundle()
    makeSegment()
    return [...(await answers()), ...(await bursts()), ...(await takeover()), ...(await links())]
  } finally {
    removeSegment()
    removeBundles()
  }
}

async function answers(): Promise<readonly string[]> {
  const complaints: string[] = []
  const responder = await Program.start()
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
    for (const [protocol, { kernel: theirs, ours, lost }] of Object.entries(figures)) {
      const name = `${protocol}${noisy ? ', noise' : ''}`
      latencyRow(`kernel ${name}`, theirs, ['0', ''])
      latencyRow(`Landfall ${name}`, ours, [String(lost), cpu.toFixed(1)])
      complaints.push(...judgeAnswers(name, { ours: latencyOf(ours), kernel: latencyOf(theirs), lost }))
    }
    if (noise !== undefined) {
      const { perSecond } = (await noise) as { perSecond: number }
      process.stdout.write(`noise: ${perSecond.toFixed(0)} requests/s for an address that nobody has\n`)
      complaints.push(...judgeNoise({ perSecond, wanted: noisePerSecond, cpu }))
    }
  }
  responder.end()
  return complaints
}

function latencyRow(name: string, times: readonly number[], rest: readonly string[]): void {
  row([name, ...[0.5, 0.99, 0.999].map((part) => quantile(times, part).toFixed(0)), ...rest])
}

function latencyOf(times: readonly number[]): Latency {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}

interface Paced {
  readonly kernel: readonly number[]
  readonly ours: readonly number[]
  readonly lost: number
}

async function paced(v4: readonly string[], v6: readonly string[]): Promise<Readonly<Record<string, Paced>>> {
  const latencies: Record<string, Paced> = {}
  for (const [protocol, own, theirs] of [
    ['ARP', v4, kernel[0]],
    ['NDP', v6, kernel[1]],
  ] as const) {
    const targets = own.flatMap((address) => [address, theirs]).slice(0, 2 * own.length)
    const unique = [...new Set(targets)]
    const result = await load('client', { kind: 'paced', targets: unique, count: pacedCount / 2 })
    const { times, lost } = result as { times: readonly (readonly number[])[]; lost: number }
    const at = unique.indexOf(theirs)
    const ours = times.filter((_, i) => i !== at).flat()
    latencies[protocol] = { kernel: times[at] ?? [], ours, lost }
  }
  return latencies
}

async function bursts(): Promise<readonly string[]> {
  const complaints: string[] = []
  const responder = await Program.start()
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
      const name = `${protocol} burst${frozen ? ', frozen' : ''}`
      const requests = 2 * targets.length
      const rssMiB = rss / 2 ** 20
      complaints.push(
        ...judgeBurst(name, { requests, answers, longestTurn: frozen ? undefined : longestTurn, rssMiB }),
      )
      row([
        name,
        String(requests),
        String(answers),
        frozen ? '' : lastAfterMs.toFixed(0),
        frozen ? '' : longestTurn.toFixed(1),
        rssMiB.toFixed(0),
      ])
    }
  responder.end()
  return complaints
}

/** From the coordinator's death, which owned all of them; it takes the detection time to be known. */
async function takeover(): Promise<readonly string[]> {
  const complaints: string[] = []
  process.stdout.write('\n')
  table(['taken over', 'announced', 'ms to the first', 'to the last', 'longest turn', 'RSS MiB'])
  const half = takenOver / 2
  const all: Readonly<Record<string, readonly string[]>> = {
    '1': addresses(1, 4),
    [`${takenOver}, both`]: [...addresses(half, 4), ...addresses(half, 6)],
    [`${manyAddresses} IPv4`]: addresses(manyAddresses, 4),
    [`${manyAddresses} IPv6`]: addresses(manyAddresses, 6),
  }
  for (const [name, ips] of Object.entries(all)) {
    const [loser, winner] = [await speaker(0, ips), await speaker(1, ips)]
    await standing(loser, ips.length)
    await sleep(takeoverSettleMs)
    const listening = { kind: 'listen', addresses: ips.length, ms: 10_000 }
    const lines = linesOf(start('client', 'neighbor-load', JSON.stringify(listening)))
    await once(lines, 'line')
    await winner.usage()
    const at = Number(process.hrtime.bigint()) / 1e6
    loser.signal('SIGKILL')
    const [line] = (await once(lines, 'line')) as [string]
    const heard = JSON.parse(line) as { addresses: number; first: number; last: number }
    const meanwhile = await standing(winner, ips.length)
    await sleep(1500)
    const { longestTurn: then, rss } = await winner.usage()
    const longestTurn = Math.max(meanwhile, then)
    const [lastMs, rssMiB, announced] = [heard.last - at, rss / 2 ** 20, heard.addresses]
    row([
      name,
      String(announced),
      (heard.first - at).toFixed(0),
      lastMs.toFixed(0),
      longestTurn.toFixed(1),
      rssMiB.toFixed(0),
    ])
    const seen = { count: ips.length, announced, lastMs, longestTurn, rssMiB }
    complaints.push(...judgeTakeover(`${name} taken over`, seen))
    winner.end()
  }
  return complaints
}

const speakers = [
  { host: 'noise', node: 'n1', address: '198.18.0.3' },
  { host: 'node', node: 'n2', address: '198.18.0.1' },
] as const

/** All of a speaker's layer 2; the first coordinates, and the second joins when the first holds what it may. */
async function speaker(which: 0 | 1, ips: readonly string[]): Promise<Program> {
  const { host, node, address } = speakers[which]
  const options = {
    node,
    timing: { intervalMs: 100, misses: 6 },
    port: 7946,
    bindAddress: address,
    excludes: ['^lo$'],
    refreshMs: 60_000,
    partition: 'serve',
    rebalanceMs: 0,
  }
  const program = await Program.start(host, 'announcer-process', JSON.stringify(options))
  const peers = speakers.map((one) => ({ node: one.node, addresses: [one.address] }))
  await program.ask({ desired: { ips, nodes: peers.map((one) => one.node), peers } })
  if (which === 0) await standing(program, ips.length)
  return program
}

/** @returns its longest turn until then */
async function standing(program: Program, count: number): Promise<number> {
  let longest = 0
  for (let tries = 0; tries < 200; tries++) {
    const { held, serving, longestTurn } = await program.usage()
    longest = Math.max(longest, longestTurn)
    if (serving && held === count) return longest
    await sleep(100)
  }
  throw new Error(`a speaker does not come to hold ${count} addresses`)
}

/** From the end of the command that brings a link back until the responder answers on it. */
async function links(): Promise<readonly string[]> {
  const complaints: string[] = []
  const responder = await Program.start()
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
    complaints.push(...judgeLinks(name, Math.max(...times)))
  }
  responder.end()
  return complaints
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
