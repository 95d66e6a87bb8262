// Runs a program to its end and gives back what it said. Arguments are a list, never a shell string.
import { spawn } from 'node:child_process'

export interface CommandResult {
  /** Exit code, or 128 + signal. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly timeoutMs?: number
  /** Called with each piece of stderr as it comes. */
  readonly onStderr?: (text: string) => void
}

export class CommandError extends Error {
  readonly argv: readonly string[]
  readonly result: CommandResult
  constructor(argv: readonly string[], result: CommandResult) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-12).join('\n')
    super(`'${argv.join(' ')}' ended with ${result.code}${said === '' ? '' : `: ${said}`}`)
    this.argv = argv
    this.result = result
  }
}

/** Never throws for an exit code; does for a program that cannot be started. */
export async function tryRun(argv: readonly string[], o: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv
  if (program === undefined) throw new TypeError('an empty command')
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...o.env },
      ...(o.cwd === undefined ? {} : { cwd: o.cwd }),
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    const timer =
      o.timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), o.timeoutMs).unref()
    child.stdout.on('data', (b: Buffer) => out.push(b))
    child.stderr.on('data', (b: Buffer) => {
      err.push(b)
      o.onStderr?.(b.toString())
    })
    child.on('error', (cause) => reject(new Error(`cannot run ${program}: ${cause.message}`, { cause })))
    child.stdin.on('error', () => {}) // a program that ends without reading its input says so by its code
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({
        code: code ?? (signal === 'SIGKILL' ? 137 : 143),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      })
    })
    child.stdin.end(o.input ?? '')
  })
}

/** The program's stdout; throws CommandError when it ends with anything but 0. */
export async function run(argv: readonly string[], o: CommandOptions = {}): Promise<string> {
  const result = await tryRun(argv, o)
  if (result.code !== 0) throw new CommandError(argv, result)
  return result.stdout
}
