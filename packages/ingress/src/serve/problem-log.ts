/** A log line when what is wrong with an object changes. An Ingress has no conditions: for it, this is the way to say it. */
import type { Key } from '@landfall/kube/model'
import type { Logger } from '@landfall/telemetry'
import type { Verdict } from '../engine/verdicts.ts'
import type { StatusKind } from '../status/status-sync.ts'

const names: Readonly<Record<StatusKind, string>> = {
  httpProxy: 'HTTPProxy',
  ingress: 'Ingress',
  extensionService: 'ExtensionService',
}

export class ProblemLog {
  readonly #logger: Logger
  readonly #known = new Map<string, string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @param verdict undefined when the object is gone */
  report(kind: StatusKind, key: Key, verdict: Verdict | undefined): void {
    const object = `${names[kind]} ${key}`
    const problems = verdict?.problems ?? []
    const text = JSON.stringify(problems)
    if (problems.length === 0) {
      if (this.#known.delete(object) && verdict !== undefined) this.#logger.info('objectValid', { object })
    } else if (this.#known.get(object) !== text) {
      this.#known.set(object, text)
      this.#logger.warn('objectInvalid', { object, problems })
    }
  }
}
