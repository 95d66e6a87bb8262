/**
 * How long what the speakers say must stand before it is written: they say it one after the other, moves are over
 * soon, and the pods of a new Service are on their way.
 */
import type { Key } from '@landfall/kube/model'
import type { Said } from './announced.ts'

/** Milliseconds. */
const settle = { first: 100, allProtocols: 3000, lost: 2000, changed: 4000, podsToCome: 30_000 }

const awaitsPods = new Set(['noEndpoints', 'noLocalEndpoints'])

/**
 * @param was what is written
 * @param severalProtocols the other one may have something to say in a moment
 */
export function settleMs(was: Said | undefined, is: Said | undefined, severalProtocols: boolean): number {
  if (is?.status === 'True') {
    if (was?.status === 'True') return settle.changed
    return severalProtocols ? settle.allProtocols : settle.first
  }
  const isNew = was === undefined || was.status === 'Unknown'
  return isNew && is !== undefined && awaitsPods.has(is.reason) ? settle.podsToCome : settle.lost
}

/** Since when it is said what is not written yet. */
export class Settling {
  readonly #said = new Map<
    Key,
    { readonly status: string; readonly reason: string; readonly dueAt: number }
  >()

  /** @returns milliseconds until it is to be written, if it stays so */
  wait(service: Key, said: Parameters<typeof settleMs>, now = performance.now()): number {
    const { status = '', reason = '' } = said[1] ?? {}
    const held = this.#said.get(service)
    if (held?.status === status && held.reason === reason) return Math.max(0, Math.ceil(held.dueAt - now))
    const ms = settleMs(...said)
    this.#said.set(service, { status, reason, dueAt: now + ms })
    return ms
  }

  /** It is written, or there is nothing to write. */
  forget(service: Key): void {
    this.#said.delete(service)
  }
}
