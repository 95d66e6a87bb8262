/** The controller's bundle in a process of its own, as its image starts it, with a pod's credentials where a pod has them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { MemoryGroup } from './memory-group.ts'

/** As images/Containerfile sets it. */
const environment = {
  NODE_ENV: 'production',
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '8192',
  NODE_OPTIONS: '--max-semi-space-size=1 --v8-pool-size=1 --disable-warning=ExperimentalWarning',
}
/** In a mount namespace of its own, so that nothing of the machine is touched. */
const enter = `
mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount &&
mount --bind "$1" /run/secrets/kubernetes.io/serviceaccount || exit 1
[ -z "$2" ] || echo $$ > "$2" || exit 1
shift 2
exec "$@"`
/** Of /proc/PID/stat, in ticks of a hundredth of a second. */
const ticksPerSecond = 100

export interface ProcessOptions {
  readonly name: string
  readonly server: URL
  /** Folder with what a pod finds of its service account. */
  readonly account: string
  readonly bundle: string
  readonly group: MemoryGroup | undefined
}

export interface LogLine {
  readonly event: string
  readonly level: string
  readonly [field: string]: unknown
}

export class ControllerProcess {
  readonly name: string
  /** performance.now() when it was started. */
  readonly startedAt: number
  readonly lines: LogLine[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #healthPort: number

  private constructor(name: string, child: ChildProcess, healthPort: number) {
    this.name = name
    this.startedAt = performance.now()
    this.#child = child
    this.#healthPort = healthPort
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()))
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)))
    }
  }

  static async start(o: ProcessOptions): Promise<ControllerProcess> {
    if (process.getuid?.() !== 0) throw new Error('a mount namespace takes root: use sudo')
    const port = await freePort()
    const flags = [`--pod-name=${o.name}`, '--port=0', `--health-probe-port=${port}`]
    const program = [process.execPath, o.bundle, ...flags]
    const shell = ['sh', '-c', enter, 'sh', o.account, o.group?.processes ?? '', ...program]
    const argv = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', ...shell]
    const env = {
      PATH: process.env['PATH'],
      ...environment,
      KUBERNETES_SERVICE_HOST: o.server.hostname,
      KUBERNETES_SERVICE_PORT: o.server.port,
    }
    return new ControllerProcess(
      o.name,
      spawn('setpriv', argv, { env, stdio: ['ignore', 'pipe', 'inherit'] }),
      port,
    )
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.#healthPort}/readyz`).catch(() => undefined)
    return answer?.ok ?? false
  }

  /** User and system time so far. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }

  /** Resident now and at most, in MiB. */
  memory(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
    return { now: mib('VmRSS'), peak: mib('VmHWM') }
  }

  /** Resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.alive) this.#child.kill(signal)
    await this.#ended
  }

  said(event: string): readonly LogLine[] {
    return this.lines.filter((line) => line.event === event)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
