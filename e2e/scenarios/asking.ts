/** One URL asked again and again, one request after the other, and what each was answered: nothing in between is missed. */
import type { LabHost } from '../lab/index.ts'

export interface Answered {
  /** When it was sent, milliseconds since the epoch. */
  readonly atMs: number
  /** The body of a 200; undefined: anything else, or nothing. */
  readonly body: string | undefined
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
      const answer = await client.curl(url).catch(() => undefined)
      this.#answers.push({ atMs, body: answer?.status === 200 ? answer.body : undefined })
    }
  }
}

export function bodiesOf(answers: readonly Answered[]): ReadonlySet<string> {
  return new Set(answers.flatMap(({ body }) => body ?? []))
}

/** When each that was not answered was sent, from a time on. */
export function lostOf(answers: readonly Answered[], sinceMs = 0): readonly number[] {
  const late = answers.filter(({ atMs, body }) => atMs >= sinceMs && body === undefined)
  return late.map(({ atMs }) => atMs - sinceMs)
}
