// Waits for something to become true and, when it does not, says what it waited for and what it saw.
export interface WaitOptions {
  readonly timeoutMs?: number
  readonly intervalMs?: number
}

/**
 * Calls `look` until it gives something other than undefined or false. A throw counts as "not yet";
 * the last one is the cause and part of the message of the error at the deadline (30 s by default).
 */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  o: WaitOptions = {},
): Promise<T> {
  const timeoutMs = o.timeoutMs ?? 30_000
  const deadline = Date.now() + timeoutMs
  let cause: unknown
  while (true) {
    try {
      const seen = await look()
      if (seen !== undefined && seen !== false) return seen
      cause = undefined
    } catch (e) {
      cause = e
    }
    if (Date.now() >= deadline) {
      const why = cause instanceof Error ? `; last: ${cause.message}` : ''
      throw new Error(`waited ${timeoutMs / 1000} s for ${what}${why}`, { cause })
    }
    await new Promise((resolve) => setTimeout(resolve, o.intervalMs ?? 100))
  }
}
