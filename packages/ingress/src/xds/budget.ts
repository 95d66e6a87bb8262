/**
 * Bounds the bytes that were handed to gRPC and not yet taken by a socket, over all streams: a hundred Envoys that
 * start at once are served in turn instead of each getting a copy of everything into memory.
 */
export class ByteBudget {
  readonly #limit: number
  #used = 0
  readonly #waiting = new Set<() => void>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** When false, `resume` is called once as soon as there is room. */
  admit(resume: () => void): boolean {
    if (this.#used < this.#limit) return true
    this.#waiting.add(resume)
    return false
  }

  take(bytes: number): void {
    this.#used += bytes
  }

  release(bytes: number): void {
    this.#used -= bytes
    for (const resume of this.#waiting) {
      if (this.#used >= this.#limit) return
      this.#waiting.delete(resume)
      resume()
    }
  }

  forget(resume: () => void): void {
    this.#waiting.delete(resume)
  }
}
