/** A client of one host with one connection that is kept: what answers, and since when. */
import { type Agent, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface Entry {
  readonly port: number
  readonly tls: boolean
}

export interface Answer {
  readonly status: number
  readonly body: string
  /** The connection was closed after it. */
  readonly closes: boolean
}

const usualPauseMs = 1

export class Prober {
  readonly #entry: Entry
  readonly #host: string
  readonly #agent: Agent

  /** @param agent whose connections it is to share with others */
  constructor(entry: Entry, host: string, agent?: Agent) {
    this.#entry = entry
    this.#host = host
    const kept = { keepAlive: true, maxSockets: 1 }
    const own = () => (entry.tls ? new HttpsAgent({ ...kept, maxCachedSessions: 0 }) : new HttpAgent(kept))
    this.#agent = agent ?? own()
  }

  /** Undefined when the connection fails. */
  ask(path: string): Promise<Answer | undefined> {
    const { port, tls } = this.#entry
    const options = { host: '127.0.0.1', port, path, headers: { host: this.#host }, agent: this.#agent }
    return new Promise((resolve) => {
      const call = tls
        ? httpsRequest({ ...options, servername: this.#host, rejectUnauthorized: false })
        : httpRequest(options)
      call.once('error', () => resolve(undefined))
      call.once('response', (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.once('error', () => resolve(undefined))
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body,
            closes: response.headers.connection === 'close',
          }),
        )
      })
      call.end()
    })
  }

  /** @returns performance.now() of the first answer of that kind */
  async until(
    path: string,
    isIt: (answer: Answer | undefined) => boolean,
    { limitMs = 30_000, pauseMs = usualPauseMs } = {},
  ): Promise<number> {
    const end = performance.now() + limitMs
    for (;;) {
      const answer = await this.ask(path)
      const now = performance.now()
      if (isIt(answer)) return now
      if (now > end) {
        const last = answer === undefined ? 'no connection' : `status ${answer.status}, ${answer.body}`
        throw new Error(`${this.#host}${path} answers not as it should: ${last}`)
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

export const ok = (answer: Answer | undefined): boolean => answer?.status === 200
