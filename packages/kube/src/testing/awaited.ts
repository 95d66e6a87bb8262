/** What takes a moment to be so. */
import { isDeepStrictEqual } from 'node:util'

const limitMs = 30_000
const everyMs = 50

/** @returns what was read when it was as expected, or at last when it never was: an error counts as read */
export async function awaited<T>(read: () => Promise<T>, expected: unknown): Promise<unknown> {
  const end = performance.now() + limitMs
  for (;;) {
    const seen = await read().catch((error: unknown) => error)
    if (isDeepStrictEqual(seen, expected) || performance.now() > end) return seen
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
