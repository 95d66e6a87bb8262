/** Many Envoys of our own, in one process: `packages/ingress` has the program. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { IngressSite } from '../../ingress/site.ts'
import { threadsCpuMs } from '../../nodeless/process-usage.ts'

const program = fileURLToPath(new URL('../../../packages/ingress/src/xds/load/main.ts', import.meta.url))

interface Line {
  readonly event: 'opened' | 'awaiting' | 'reached' | 'reopened'
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Streams that have ended without being asked to. */
  readonly broken: number
}

export class Followers {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting = new Map<Line['event'], PromiseWithResolvers<Line>>()

  constructor(site: IngressSite) {
    const server = `127.0.0.1:${site.ports.xds}`
    const certs = site.certificate('')
    const argv = ['--pdeathsig', 'KILL', process.execPath, program, server, certs]
    this.#child = spawn('setpriv', argv, { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      const line: Line = JSON.parse(text)
      this.#waiting.get(line.event)?.resolve(line)
    })
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the process of the followers ended'))
    })
  }

  cpuMs(): number {
    return threadsCpuMs(this.#child.pid ?? 0)
  }

  /** Resolves when each has so many clusters with endpoints. */
  open(count: number, clusters: number): Promise<Line> {
    return this.#ask({ do: 'open', count, clusters }, 'opened')
  }

  /** Resolves when they wait; `reached` when all have other endpoints of the Service. */
  async await(service: string): Promise<{ readonly reached: Promise<Line> }> {
    const reached = this.#heard('reached')
    await this.#ask({ do: 'await', service }, 'awaiting')
    return { reached }
  }

  reopen(): Promise<Line> {
    return this.#ask({ do: 'reopen' }, 'reopened')
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  #ask(deed: object, event: Line['event']): Promise<Line> {
    const heard = this.#heard(event)
    this.#child.stdin.write(`${JSON.stringify(deed)}\n`)
    return heard
  }

  #heard(event: Line['event']): Promise<Line> {
    const heard = Promise.withResolvers<Line>()
    heard.promise.catch(() => {}) // reported where it is asked for
    this.#waiting.set(event, heard)
    return heard.promise
  }
}
