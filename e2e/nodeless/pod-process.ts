/** A bundle in a process of its own, as its image starts it, with a pod's credentials where a pod has them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { RealApiServer } from '@landfall/kube/testing'
import { memoryOf, type ProcessMemory, totalCpuMs } from './process-usage.ts'

/** As images/Containerfile sets it. */
const environment = {
  NODE_ENV: 'production',
  MALLOC_ARENA_MAX: '1',
  NODE_OPTIONS: '--max-semi-space-size=1 --v8-pool-size=1 --disable-warning=ExperimentalWarning',
}
/** In a mount namespace of its own, so that nothing of the machine is touched. */
const enter = `
mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount &&
mount --bind "$1" /run/secrets/kubernetes.io/serviceaccount || exit 1
[ -z "$2" ] || echo $$ > "$2" || exit 1
shift 2
exec "$@"`

export interface PodOptions {
  readonly server: URL
  /** Folder with what a pod finds of its service account. */
  readonly account: string
  /** The program and what it is told. */
  readonly argv: readonly string[]
  /** Beside what all images set. */
  readonly environment?: Readonly<Record<string, string>>
  /** The file of a group that the process joins; '': none. */
  readonly group?: string
}

export interface LogLine {
  readonly event: string
  readonly level: string
  readonly [field: string]: unknown
}

export class PodProcess {
  /** performance.now() when it was started. */
  readonly startedAt: number
  readonly lines: LogLine[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #peakMiB = 0

  constructor(o: PodOptions) {
    if (process.getuid?.() !== 0) throw new Error('a mount namespace takes root: use sudo')
    const shell = ['sh', '-c', enter, 'sh', o.account, o.group ?? '', process.execPath, ...o.argv]
    const argv = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', ...shell]
    const env = {
      PATH: process.env['PATH'],
      ...environment,
      ...o.environment,
      KUBERNETES_SERVICE_HOST: o.server.hostname,
      KUBERNETES_SERVICE_PORT: o.server.port,
    }
    this.startedAt = performance.now()
    const child = spawn('setpriv', argv, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()))
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** User and system time so far. */
  cpuSeconds(): number {
    return totalCpuMs(this.pid) / 1000
  }

  memory(): ProcessMemory {
    return memoryOf(this.pid)
  }

  /** Resident at most, up to now or to the moment it was ended. */
  peakMiB(): number {
    if (this.alive) this.#peakMiB = Math.max(this.#peakMiB, this.memory().peak || 0)
    return this.#peakMiB
  }

  /** Stopped whole, as on a machine that hangs, until `thaw`. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  /** Resolves when it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.peakMiB()
    if (this.alive) this.#child.kill(signal)
    await this.#ended
  }

  said(event: string): readonly LogLine[] {
    return this.lines.filter((line) => line.event === event)
  }
}

/** Writes what a pod finds of its service account. @returns the folder */
export function writeAccount(
  server: RealApiServer,
  parent: string,
  namespace: string,
  token: string,
): string {
  const folder = join(parent, 'account')
  mkdirSync(folder)
  const { ca } = server.access().tls()
  const files = { 'ca.crt': String(ca), token, namespace }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
