/**
 * `pnpm bench NAME`: figures, with the machine and the load that they were measured under. Those of `layer2` are judged:
 * exit code 1 when one is not as it should be.
 */
import { cpus, loadavg, totalmem } from 'node:os'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { againInOwnNetwork, isInOwnNetwork } from '../ingress/own-network.ts'
import { benchBgp } from './bgp.ts'
import { benchController } from './controller.ts'
import type { Mode } from './ingress/cell.ts'
import { allModes, benchIngress, usualSamples, usualSizes } from './ingress/index.ts'
import { benchLayer2 } from './layer2.ts'
import { benchAllocator } from './lb.ts'

interface Flags {
  readonly sizes: readonly number[]
  readonly modes: readonly Mode[]
  readonly samples: number
  readonly folder?: string
  readonly json: boolean
}

interface Bench {
  readonly about: string
  /** In a network of its own. */
  readonly apart?: true
  /** Answers what is not as it should be, one sentence each, where figures have limits. */
  run(flags: Flags): Promise<readonly string[]>
}

const benches: Readonly<Record<string, Bench>> = {
  lb: {
    about: 'the allocator alone, and the controller on a real API server',
    run: async () => {
      benchAllocator()
      await benchController()
      return []
    },
  },
  layer2: { about: 'answers to ARP and NDP beside the kernel; judged', run: benchLayer2 },
  bgp: {
    about: 'a table of 100,000 prefixes to each router',
    run: async () => {
      await benchBgp()
      return []
    },
  },
  ingress: {
    about: 'serve and a real Envoy at growing numbers of hosts',
    apart: true,
    run: async (flags) => {
      await benchIngress({ ...flags, folder: flags.folder })
      return []
    },
  },
}

async function main(): Promise<void> {
  const command = new Command('bench')
    .description('Figures, with the machine and the load that they were measured under.')
    .argument(
      '<name>',
      `one of\n${Object.entries(benches)
        .map(([name, { about }]) => `${name}: ${about}`)
        .join('\n')}`,
    )
    .option('--sizes <n,n>', 'ingress: numbers of hosts', sizes, usualSizes)
    .option('--modes <mode,mode>', `ingress: of ${allModes.join(', ')}`, modes, allModes.slice(0, 1))
    .option('--samples <n>', 'ingress: of each kind of change', whole, usualSamples)
    .option('--folder <path>', 'ingress: where measured cells are kept, and not measured again')
    .option('--json', 'ingress: the cells as JSON instead of tables', false)
    .exitOverride()
    .showHelpAfterError()
    .parse()
  const [name = ''] = command.args
  const bench = benches[name]
  if (bench === undefined) throw new Error(`which one? ${Object.keys(benches).join(', ')}`)
  if (bench.apart === true && !isInOwnNetwork()) {
    process.exitCode = await againInOwnNetwork()
    return
  }
  const flags = command.opts<Flags>()
  if (flags.json) {
    await bench.run(flags)
    return
  }
  const memory = (totalmem() / 2 ** 30).toFixed(1)
  process.stdout.write(
    `${cpus().length} × ${cpus()[0]?.model.trim()}, ${memory} GiB, Node ${process.version}\n`,
  )
  process.stdout.write(`load before: ${load()}\n\n`)
  const complaints = await bench.run(flags)
  process.stdout.write(`\nload after: ${load()}\n`)
  for (const complaint of complaints) process.stdout.write(`not as it should be: ${complaint}\n`)
  if (complaints.length > 0) process.exitCode = 1
}

function load(): string {
  return loadavg()
    .map((one) => one.toFixed(2))
    .join(' ')
}

function whole(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a number from 1 is wanted')
  return Number(text)
}

function sizes(text: string): readonly number[] {
  return text.split(',').map(whole)
}

function modes(text: string): readonly Mode[] {
  return text.split(',').map((name) => {
    const mode = allModes.find((one) => one === name)
    if (mode === undefined) throw new InvalidArgumentError(`must be of ${allModes.join(', ')}`)
    return mode
  })
}

await main().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exitCode = 2
})
