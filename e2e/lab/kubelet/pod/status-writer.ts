// Brings one pod's status to the API server: the newest only, one write at a time, again until it is
// there, nothing when nothing changed.
import { type ApiClient, ApiFailure } from '../api/api-client.ts'
import type { Pod } from '../api/pod.ts'

const RETRY_MS = 500

export class PodStatusWriter {
  readonly #client: ApiClient
  readonly #pod: Pod
  #wanted: string | undefined
  #sent: string | undefined
  #writing: Promise<void> | undefined
  #gone = false

  constructor(client: ApiClient, pod: Pod) {
    this.#client = client
    this.#pod = pod
  }

  /** Resolves when this or a later status has been written, or the pod is gone. */
  write(status: unknown): Promise<void> {
    this.#wanted = JSON.stringify(status)
    this.#writing ??= this.#run().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  /** Somebody wrote something else: the next status is sent even if it is the same. */
  overruled(): void {
    this.#sent = undefined
  }

  /** Takes the pod away from the API server for good, once it is marked as deleted. */
  async remove(): Promise<void> {
    const { uid } = this.#pod.metadata
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid } }
    await this.#untilAnswered(() => this.#client.request({ method: 'DELETE', path: this.#path(''), body }))
    this.#gone = true
  }

  abandon(): void {
    this.#gone = true
  }

  async #run(): Promise<void> {
    while (!this.#gone && this.#wanted !== this.#sent) {
      const wanted = this.#wanted ?? ''
      const body = { metadata: { uid: this.#pod.metadata.uid }, status: JSON.parse(wanted) as unknown }
      const path = this.#path('/status')
      await this.#untilAnswered(() => this.#client.request({ method: 'PATCH', path, body }))
      this.#sent = wanted
    }
  }

  /** Answers that no repetition changes (404, 409 for another uid, 422) end it too. */
  async #untilAnswered(attempt: () => Promise<unknown>): Promise<void> {
    while (!this.#gone) {
      try {
        await attempt()
        return
      } catch (problem) {
        if (problem instanceof ApiFailure && [404, 409, 422].includes(problem.status)) {
          if (problem.status === 422) process.stderr.write(`${problem.message}\n`)
          return
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  #path(sub: string): string {
    const { namespace, name } = this.#pod.metadata
    return `/api/v1/namespaces/${namespace}/pods/${name}${sub}`
  }
}
