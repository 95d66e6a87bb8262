/** `/healthz` and `/readyz` from named checks: 200 when all hold, 503 with the names and reasons of those that don't. */
import type { HttpAnswer, Routes } from './http.ts'

export class Health {
  readonly #ready = new Map<string, string>()
  readonly #live = new Map<string, string>()

  /** @param why what is missing, shown while `ok` is false */
  setReady(check: string, ok: boolean, why = 'not yet'): void {
    record(this.#ready, check, ok, why)
  }

  setLive(check: string, ok: boolean, why = 'failed'): void {
    record(this.#live, check, ok, why)
  }

  routes(): Routes {
    return { '/healthz': () => report(this.#live), '/readyz': () => report(this.#ready) }
  }
}

function record(checks: Map<string, string>, check: string, ok: boolean, why: string): void {
  if (ok) checks.delete(check)
  else checks.set(check, why)
}

function report(failing: ReadonlyMap<string, string>): HttpAnswer {
  if (failing.size === 0) return { status: 200, body: 'ok\n' }
  return { status: 503, body: [...failing].map(([check, why]) => `${check}: ${why}\n`).join('') }
}
