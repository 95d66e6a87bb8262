/** The processes of the layer 2 bench, bundled as an image has them: the responder, all of layer 2, and what asks them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Host, prefix } from './layer2-segment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = join(root, 'packages/speaker/src/layer2/testdata')
const bundles = join(tmpdir(), prefix)

interface Usage {
  /** Of all of layer 2: what it has taken, and whether it knows the others. */
  readonly held?: number
  readonly serving?: boolean
  readonly user: number
  readonly system: number
  readonly rss: number
  /** In ms, since the last time: at most what one turn took of the processor. */
  readonly longestTurn: number
}

/** The responder, or all of layer 2. */
export class Program {
  readonly #child: ChildProcess
  readonly #lines: Interface

  static async start(host: Host = 'node', name = 'responder-process', ...args: string[]): Promise<Program> {
    const program = new Program(start(host, name, ...args))
    await program.#told('ready')
    return program
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

export async function load(host: Host, what: object): Promise<unknown> {
  const child = start(host, 'neighbor-load', JSON.stringify(what))
  const [line] = (await once(linesOf(child), 'line')) as [string]
  const result: unknown = JSON.parse(line)
  return result
}

/** As the speaker's entry sets them. */
const compilerFlags = ['--no-opt', '--no-maglev', '--memory-saver-mode', '--optimize-for-size']

export function removeBundles(): void {
  rmSync(bundles, { recursive: true, force: true })
}

/** As the image runs it: bundled, with its settings for the heap. */
export async function bundle(): Promise<void> {
  await build({
    entryPoints: ['responder-process', 'announcer-process', 'neighbor-load'].map((name) =>
      join(programs, `${name}.ts`),
    ),
    outdir: bundles,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    external: ['koffi'],
    logLevel: 'warning',
  })
}

export function start(host: Host, program: string, ...args: string[]): ChildProcess {
  const net = `--net=/run/netns/${prefix}-${host}`
  const file = join(bundles, `${program}.js`)
  return spawn('nsenter', [net, process.execPath, ...compilerFlags, file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      NODE_PATH: join(root, 'packages/net/node_modules'),
      NODE_OPTIONS: '--max-semi-space-size=1 --v8-pool-size=1',
    },
  })
}

export function linesOf(child: ChildProcess): Interface {
  if (child.stdout === null) throw new Error('no standard output')
  return createInterface({ input: child.stdout })
}
