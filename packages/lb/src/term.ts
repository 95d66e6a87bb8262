/** What a replica does for as long as it leads: one session, and the speakers' Secret. Nothing of it outlives the term. */
import { ensureMemberlistSecret } from './memberlist-secret.ts'
import type { SessionOptions } from './options.ts'
import { Session } from './session.ts'

export interface TermOptions extends SessionOptions {
  /** '': speakers have none. */
  readonly memberlistSecret: string
  /** The Deployment that owns that Secret; '': nobody does. */
  readonly deployment: string
}

export class Term {
  readonly #options: TermOptions
  readonly #session: Session
  readonly #ended = new AbortController()

  constructor(options: TermOptions) {
    this.#options = options
    // This process may lead again before a write of this term is done.
    const mayWrite = () => !this.#ended.signal.aborted && options.mayWrite()
    this.#session = new Session({ ...options, mayWrite, leads: options.mayWrite })
  }

  /** Resolves after the first decisions. */
  async start(): Promise<void> {
    const { cluster, namespace, memberlistSecret: name, deployment, logger } = this.#options
    const { signal } = this.#ended
    if (name !== '') void ensureMemberlistSecret({ cluster, namespace, name, deployment, logger, signal })
    await this.#session.start()
  }

  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#session.stop()
  }
}
