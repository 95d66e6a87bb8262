/** For tests: Envoy's rate limit service as it is, on loopback, with a folder of its own. `npm run lab -- parts` builds it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort } from '../envoy-process/envoy-process.ts'

/** LANDFALL_RATELIMIT, or where the lab puts it. */
function findRateLimit(): string | undefined {
  const given = process.env['LANDFALL_RATELIMIT']
  if (given !== undefined) return given
  const folder = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'landfall',
    'parts',
    'ratelimit',
  )
  if (!existsSync(folder)) return undefined
  return readdirSync(folder)
    .map((version) => join(folder, version, 'ratelimit'))
    .find(existsSync)
}

/** Whether its tests are left out; with LANDFALL_NO_SKIP=1 they run, and fail without it. */
export function withoutRateLimit(): boolean {
  return process.env['LANDFALL_NO_SKIP'] !== '1' && findRateLimit() === undefined
}

export class RateLimitProcess {
  port = 0
  readonly #directory = mkdtempSync(join(tmpdir(), 'landfall-ratelimit-'))
  #process: ChildProcess | undefined
  #said = ''

  /** @param limits its configuration, as YAML */
  async open(limits: string): Promise<void> {
    const program = findRateLimit()
    if (program === undefined) throw new Error('there is no rate limit service: npm run lab -- parts')
    const folder = join(this.#directory, 'config')
    mkdirSync(folder)
    writeFileSync(join(folder, 'limits.yaml'), limits)
    this.port = await freePort()
    const loopback = '127.0.0.1'
    const child = spawn(program, [], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        GRPC_HOST: loopback,
        GRPC_PORT: `${this.port}`,
        HOST: loopback,
        PORT: '0',
        DEBUG_HOST: loopback,
        DEBUG_PORT: '0',
        RUNTIME_ROOT: this.#directory,
        RUNTIME_WATCH_ROOT: 'false',
        USE_STATSD: 'false',
      },
    })
    this.#process = child
    child.stderr.on('data', (chunk: Buffer) => {
      this.#said = `${this.#said}${chunk.toString()}`.slice(-4000)
    })
    process.once('exit', this.#kill)
    await eventually('the rate limit service listens', () => this.#listens())
  }

  async close(): Promise<void> {
    process.off('exit', this.#kill)
    const child = this.#process
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }

  readonly #kill = (): void => {
    this.#process?.kill('SIGKILL')
  }

  #listens(): Promise<true | undefined> {
    if (this.#process?.exitCode !== null) throw new Error(`the rate limit service ended: ${this.#said}`)
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1')
      const end = (there: true | undefined) => {
        socket.destroy()
        resolve(there)
      }
      socket.on('connect', () => end(true))
      socket.on('error', () => end(undefined))
    })
  }
}
