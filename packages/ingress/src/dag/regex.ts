/**
 * Whether Envoy's RE2 takes a regular expression, as far as an engine of the same syntax can say. One that repeats much
 * becomes large: 3 KB of text can be 400,000 instructions, which cost a second and hundreds of MiB here and which RE2
 * refuses. So its size is estimated first.
 */
import { RE2JS } from 're2js'

/** RE2 takes some 87,000 instructions within its 8 MiB, each character that is not ASCII being several. */
export const mostUnits = 65_000
/** Of verdicts that are kept, the newest; a host is translated again and again. */
export const mostKnown = 512
const known = new Map<string, boolean>()

export function isRegex(text: string): boolean {
  const before = known.get(text)
  if (before !== undefined) return before
  const verdict = unitsOf(text) <= mostUnits && compiles(text)
  known.set(text, verdict)
  for (const oldest of known.keys()) {
    if (known.size <= mostKnown) break
    known.delete(oldest)
  }
  return verdict
}

function compiles(text: string): boolean {
  try {
    RE2JS.compile(text)
    return true
  } catch {
    return false
  }
}

/** Characters and classes, each as often as it is repeated at least or at most by a number. */
export function unitsOf(text: string): number {
  const open: number[] = []
  let units = 0
  let last = 0
  const atom = (size: number) => {
    units += size
    last = size
  }
  for (const [token] of text.matchAll(tokens)) {
    const times = /^\{(\d+)(?:,(\d*))?\}$/.exec(token)
    if (token.startsWith('(')) {
      open.push(units)
      units = 0
    } else if (token === ')') {
      const inside = units
      units = open.pop() ?? 0
      atom(inside)
    } else if (times !== null) {
      const most = Math.max(Number(times[1]), Number(times[2] ?? 0))
      units += last * (most - 1)
      last *= most
    } else if (!/^[*+?|^$]$/.test(token)) atom(1)
  }
  return units
}

/** A class, an escape, the head of a group, a number of times, any other character. */
const tokens =
  /\[\^?\]?(?:\\[^]|\[:\w+:\]|[^\]\\])*\]|\\[pPx]\{[^}]*\}|\\[^]|\(\?P?<\w*>|\(\?[a-zA-Z-]*:?|\{\d+(?:,\d*)?\}|[^]/g
