/**
 * `pnpm drill NAME`: the full repetitions of what the scenarios show once, on a lab of its own or on one that is up.
 * Exit code 0: all as it should be; 1: not so, with the complaints; 2: the drill could not be done.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { install } from '../demo/installation.ts'
import { againInOwnNetwork, isInOwnNetwork } from '../ingress/own-network.ts'
import { createLab, type Lab, openLab, type Progress, terminalProgress } from '../lab/index.ts'
import { allocator } from './allocator.ts'
import { bgp } from './bgp/index.ts'
import type { Drill, LablessDrill, Verdict } from './drill.ts'
import { failover } from './failover.ts'
import { guides } from './guides.ts'
import { ingress } from './ingress/index.ts'
import { layer2 } from './layer2/index.ts'
import { layer2Simulation } from './layer2-simulation.ts'
import { memory } from './memory.ts'
import { outage } from './outage-drill.ts'
import { provideExample } from './outages.ts'
import { properties } from './properties.ts'
import { roll } from './roll.ts'
import { withdrawal } from './withdrawal.ts'

const drills: Readonly<Record<string, Drill>> = { failover, outage, memory, roll, withdrawal }
const lablessDrills: Readonly<Record<string, LablessDrill>> = {
  allocator,
  ingress,
  bgp,
  guides,
  layer2,
  'layer2-simulation': layer2Simulation,
  properties,
}

interface Flags {
  readonly times?: number
  readonly lab?: string
  readonly resume?: true
  readonly part?: string
  readonly only?: string
  readonly nodes?: number
  readonly heartbeat?: string
}

async function main(): Promise<void> {
  const command = new Command('drill')
    .description('Repeats what the scenarios show once, and measures it.')
    .argument(
      '<name>',
      `one of\n${[...Object.entries(drills), ...Object.entries(lablessDrills)].map(describe).join('\n')}`,
    )
    .option('--times <n>', 'repetitions', count)
    .option('--lab <id>', 'a lab that is up; without it one is made and taken away again')
    .option('--resume', 'go on where an interrupted run ended')
    .option('--part <name>', 'bgp, ingress, layer2: this part alone')
    .option('--only <text>', 'ingress, layer2: of the part only what has this in its name')
    .option('--nodes <n>', 'layer2: nodes of its lab', count)
    .option('--heartbeat <ms>x<misses>', "layer2: the speakers' pace of heartbeats")
    .exitOverride()
    .showHelpAfterError()
    .parse()
  const [name = ''] = command.args
  const flags = command.opts<Flags>()
  const progress = terminalProgress()
  const options = { resume: flags.resume ?? false, progress }
  const [drill, labless] = [drills[name], lablessDrills[name]]
  if (process.getuid?.() !== 0) throw new Error('drills make namespaces, which takes root: use sudo')
  if (labless?.apart?.(flags.part) === true && !isInOwnNetwork()) {
    process.exitCode = await againInOwnNetwork()
    return
  }
  if (labless !== undefined) {
    const { part, only, nodes, heartbeat, lab } = flags
    const given = Object.entries({ part, only, nodes, heartbeat, lab }).filter(
      ([, value]) => value !== undefined,
    )
    const own = Object.fromEntries(given) as Pick<Flags, 'part' | 'only' | 'nodes' | 'heartbeat' | 'lab'>
    return tell(await labless.run({ ...options, ...own, times: flags.times ?? labless.times }))
  }
  if (drill === undefined) {
    const all = [...Object.keys(drills), ...Object.keys(lablessDrills)]
    throw new Error(`no drill is named "${name}"; there are ${all.join(', ')}`)
  }
  const lab = await provideLab(flags.lab, progress)
  try {
    tell(await drill.run(lab, { ...options, times: flags.times ?? drill.times }))
  } finally {
    if (flags.lab === undefined) await progress.step('lab down', () => lab.down())
  }
}

function tell({ table, complaints }: Verdict): void {
  process.stdout.write(`\n${table}`)
  for (const complaint of complaints) process.stdout.write(`not as it should be: ${complaint}\n`)
  process.exitCode = complaints.length === 0 ? 0 : 1
}

/** With Landfall and the example on it, and answering. */
async function provideLab(id: string | undefined, progress: Progress): Promise<Lab> {
  const lab = id === undefined ? await createLab({ progress }) : openLab(id)
  if ((await lab.get('deployment', 'controller', 'metallb-system')) === undefined)
    await install(lab, progress)
  await progress.step('the example answers', () => provideExample(lab))
  return lab
}

function describe([name, { about, times = 1 }]: readonly [string, Drill | LablessDrill]): string {
  return `${name}: ${about}${times > 1 ? ` (${times} times)` : ''}`
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a number from 1 is wanted')
  return Number(text)
}

await main().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  process.stderr.write(`landfall: ${error instanceof Error ? error.message : String(error)}\n`)
  // What was under way when it failed may still run.
  process.exit(2)
})
