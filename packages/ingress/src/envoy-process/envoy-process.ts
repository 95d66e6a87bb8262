/** For tests: a real Envoy on loopback, with a directory of its own, that never outlives the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const { request } = process.getBuiltinModule('node:http')

const version = '1.40.0'
const flags = ['--concurrency', '1', '--log-level', 'warning', '--disable-hot-restart']

/** LANDFALL_ENVOY, the PATH, the cache of parts; undefined when there is none. */
export function findEnvoy(): string | undefined {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const candidates = [
    process.env['LANDFALL_ENVOY'] ?? '',
    ...(process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'envoy')),
    join(cache, 'landfall', 'parts', 'envoy', version, 'envoy'),
  ]
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return path !== ''
    } catch {
      return false
    }
  })
}

/** Whether a test with a real Envoy is left out; with LANDFALL_NO_SKIP=1 it runs, and fails without one. */
export function withoutEnvoy(): boolean {
  return process.env['LANDFALL_NO_SKIP'] !== '1' && findEnvoy() === undefined
}

export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'landfall-envoy-'))
}

const given = new Set<number>()

/**
 * A port of loopback that nobody listens on. Below those that the kernel gives to connections and to whom asks for any:
 * one of these may have it by the time it is listened on, in tests that run beside each other.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(10_000, 32_000)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error('no port')
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

export class RealEnvoy {
  readonly #directory: string
  readonly #process: ChildProcess

  /** `directory` holds `bootstrap.json`, whose admin socket is `admin.sock` in it. */
  constructor(directory: string) {
    const binary = findEnvoy()
    if (binary === undefined) throw new Error('there is no Envoy')
    this.#directory = directory
    const log = createWriteStream(this.logFile)
    this.#process = spawn(binary, ['-c', join(directory, 'bootstrap.json'), ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process.stdout?.pipe(log)
    this.#process.stderr?.pipe(log)
    process.once('exit', this.#kill)
  }

  readonly #kill = (): void => {
    this.#process.kill('SIGKILL')
  }

  get logFile(): string {
    return join(this.#directory, 'envoy.log')
  }

  log(): Promise<string> {
    return readFile(this.logFile, 'utf8')
  }

  admin(path: string, method = 'GET'): Promise<string> {
    return new Promise((resolve, reject) => {
      const socketPath = join(this.#directory, 'admin.sock')
      const call = request({ socketPath, path, method, headers: { host: 'admin' } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks).toString()))
      })
      call.on('error', reject)
      call.end()
    })
  }

  /** The value of a counter or gauge. */
  async stat(name: string): Promise<number> {
    const text = await this.admin(`/stats?filter=${encodeURIComponent(`^${name}$`)}`)
    return Number(text.split(':').at(-1))
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill)
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL')
      await once(this.#process, 'exit')
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Waits until `look` answers something other than undefined, at most 30 s. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + 30_000
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > end) throw new Error(`never came true: ${what}`)
    await delay(5)
  }
}
