/** One URL asked again and again, one request after the other, and what each was answered: nothing in between is missed. */
import type { LabHost } from '../lab/index.ts'

export interface Answered {
  /** When it was sent, milliseconds since the epoch. */
  readonly atMs: number
  /** The body of a 200; undefined: anything else, or nothing. */
  readonly body: string | undefined
  /** What came instead. */
  readonly why?: string
}

export class Asking {
  readonly #answers: Answered[] = []
  readonly #ended: Promise<void>
  #goesOn = true

  constructor(client: LabHost, url: string) {
    this.#ended = this.#ask(client, url)
  }

  get answers(): readonly Answered[] {
    return this.#answers
  }

  async stop(): Promise<readonly Answered[]> {
    this.#goesOn = false
    await this.#ended
    return this.#answers
  }

  async #ask(client: LabHost, url: string): Promise<void> {
    while (this.#goesOn) {
      const atMs = Date.now()
      this.#answers.push({ atMs, ...(await this.#answer(client, url)) })
    }
  }

  async #answer(client: LabHost, url: string): Promise<Omit<Answered, 'atMs'>> {
    try {
      const { status, body } = await client.curl(url)
      return status === 200 ? { body } : { body: undefined, why: `status ${status}` }
    } catch (problem) {
      return { body: undefined, why: (problem as Error).message }
    }
  }
}

export function bodiesOf(answers: readonly Answered[]): ReadonlySet<string> {
  return new Set(answers.flatMap(({ body }) => body ?? []))
}

/** Each that was not answered, from a time on. */
export function lostOf(answers: readonly Answered[], sinceMs = 0): readonly string[] {
  const late = answers.filter(({ atMs, body }) => atMs >= sinceMs && body === undefined)
  return late.map(({ atMs, why }) => `${new Date(atMs).toISOString()}: ${why}`)
}
