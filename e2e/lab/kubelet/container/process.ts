// One run of a container: its process, its output, its end. stdout and stderr are a FIFO that
// anyone may open, since /dev/stdout must be writable by the container's user (a socket or a file of
// root's would not be). In: a plan and a directory. Out: `exited`, chunks of output, a state file.
import { spawn } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { constants as system } from 'node:os'
import { dirname, join } from 'node:path'
import type { ContainerState } from '../../kubelet-config.ts'
import { run } from '../process/command.ts'
import { processesBelow, signal, startTimeOf } from '../process/identity.ts'
import { becomeProgram, type ContainerPlan, containerScript } from './script.ts'

export interface Exit {
  readonly code: number
  readonly signal: NodeJS.Signals | undefined
}

export interface RunOptions {
  readonly plan: ContainerPlan
  /** Absolute, for this run alone; removed at the end. */
  readonly directory: string
  /** Stays behind: its reader tells by the start time whether the process lives. */
  readonly stateFile: string
  readonly onOutput: (chunk: Buffer) => void
}

export class ContainerProcess {
  readonly pid: number
  /** Resolves when the main process has ended and nothing of the container is left. */
  readonly exited: Promise<Exit>
  readonly #options: RunOptions
  #ended = false

  private constructor(options: RunOptions, pid: number, ended: Promise<Exit>, drained: Promise<void>) {
    this.#options = options
    this.pid = pid
    this.exited = ended.then(async (exit) => {
      this.#ended = true
      this.#killRest()
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 500))])
      rmSync(options.directory, { recursive: true, force: true })
      return exit
    })
  }

  static async start(options: RunOptions): Promise<ContainerProcess> {
    const { plan, directory } = options
    const scratch = join(directory, 'scratch')
    mkdirSync(scratch, { recursive: true })
    const script = join(directory, 'start.sh')
    writeFileSync(script, containerScript(plan, scratch))
    const output = await openOutput(join(directory, 'output'), options.onOutput)
    const enter = plan.networkNamespace === undefined ? [] : ['nsenter', `--net=${plan.networkNamespace}`]
    const isolate = ['unshare', '--mount', '--uts', '--propagation', 'private', 'sh', script]
    const [program = '', ...args] = [...enter, ...isolate]
    const child = spawn(program, args, {
      stdio: ['ignore', output.fd, output.fd],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      cwd: '/',
      detached: true,
    })
    closeSync(output.fd)
    const ended = new Promise<Exit>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, name) =>
        resolve({
          code: code ?? 128 + (name === null ? 0 : system.signals[name]),
          signal: name ?? undefined,
        }),
      )
    })
    if (child.pid === undefined)
      return ended.then(() => Promise.reject(new Error(`${program} did not start`)))
    writeState(options.stateFile, { pid: child.pid, startTime: startTimeOf(child.pid) ?? '' })
    return new ContainerProcess(options, child.pid, ended, output.drained)
  }

  /** To the main process, as a container runtime does it. */
  signal(name: NodeJS.Signals): void {
    if (!this.#ended) signal(this.pid, name)
  }

  kill(): void {
    if (this.#ended) return
    signal(this.pid, 'SIGKILL')
    this.#killRest()
  }

  /** Runs a command inside the container, as its user; the exit code and what it wrote. */
  exec(
    argv: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly code: number; readonly output: string }> {
    const enter = ['nsenter', `--target=${this.pid}`, '--mount', '--uts', '--net', '--root', '--wd']
    return execute([...enter, ...becomeProgram({ ...this.#options.plan, argv })], timeoutMs)
  }

  #killRest(): void {
    for (const pid of processesBelow(this.#options.directory)) signal(pid, 'SIGKILL')
  }
}

async function openOutput(path: string, onChunk: (chunk: Buffer) => void) {
  await run('mkfifo', ['-m', '666', path])
  // Reader first and without waiting for a writer; then a writer, before the reader can see an end.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const fd = openSync(path, constants.O_WRONLY)
  const socket = new Socket({ fd: reader, readable: true, writable: false })
  socket.on('data', onChunk)
  const drained = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.once('error', () => resolve())
  })
  return { fd, drained }
}

function execute(command: readonly string[], timeoutMs: number) {
  return new Promise<{ code: number; output: string }>((resolve) => {
    const [program = '', ...args] = command
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    const take = (chunk: Buffer) => {
      if (output.length < 10_000) output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const timer = setTimeout(() => {
      if (child.pid !== undefined) signal(-child.pid, 'SIGKILL')
      output += `timed out after ${timeoutMs} ms`
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve({ code: 126, output: error.message })
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? 137, output })
    })
  })
}

function writeState(path: string, state: ContainerState): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(state))
  renameSync(`${path}.new`, path)
}
