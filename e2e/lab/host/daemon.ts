// Programs that outlive the command that starts them: each leads its own process group, logs to a
// file and leaves a pid file with its start time.
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessId, processStat, sendSignal } from './process-table.ts'

export interface DaemonSpec {
  readonly name: string
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Daemon extends ProcessId {
  readonly name: string
  readonly argv: readonly string[]
}

/** The pid and log files of one lab's daemons. */
export class Daemons {
  readonly #pids: string
  readonly #logs: string
  readonly #env: Readonly<Record<string, string>>

  constructor(o: {
    readonly pids: string
    readonly logs: string
    readonly env: Readonly<Record<string, string>>
  }) {
    this.#pids = o.pids
    this.#logs = o.logs
    this.#env = o.env
  }

  start(spec: DaemonSpec): Daemon {
    mkdirSync(this.#pids, { recursive: true })
    mkdirSync(this.#logs, { recursive: true })
    const [program, ...args] = spec.argv
    if (program === undefined) throw new TypeError(`daemon ${spec.name} has an empty command`)
    const log = openSync(this.logPath(spec.name), 'a')
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '/root',
        ...this.#env,
        ...spec.env,
      },
    })
    closeSync(log)
    child.on('error', () => {}) // shown by the missing pid below
    child.unref()
    const stat = child.pid === undefined ? undefined : processStat(child.pid)
    if (stat === undefined) throw new Error(`cannot start ${spec.name}: ${program} does not run`)
    const daemon: Daemon = { name: spec.name, pid: stat.pid, startTime: stat.startTime, argv: spec.argv }
    const path = join(this.#pids, `${spec.name}.json`)
    writeFileSync(`${path}.new`, JSON.stringify(daemon))
    renameSync(`${path}.new`, path)
    return daemon
  }

  logPath(name: string): string {
    return join(this.#logs, `${name}.log`)
  }

  /** The last lines of a daemon's log, for a message. */
  logTail(name: string, lines = 15): string {
    if (!existsSync(this.logPath(name))) return ''
    return readFileSync(this.logPath(name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  }

  list(): readonly Daemon[] {
    if (!existsSync(this.#pids)) return []
    return readdirSync(this.#pids)
      .filter((file) => file.endsWith('.json'))
      .toSorted()
      .map((file): Daemon => JSON.parse(readFileSync(join(this.#pids, file), 'utf8')))
  }

  find(name: string): Daemon | undefined {
    return this.list().find((d) => d.name === name)
  }

  /** SIGTERM to the group, SIGKILL after the grace time; resolves when the leader is gone. */
  async stop(name: string, graceMs = 5000): Promise<void> {
    const daemon = this.find(name)
    if (daemon === undefined || !isAlive(daemon)) return
    sendSignal(-daemon.pid, 'SIGTERM')
    const deadline = Date.now() + graceMs
    while (isAlive(daemon)) {
      if (Date.now() > deadline) sendSignal(-daemon.pid, 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
