/** Durations as Go writes them (time.ParseDuration): `1h30m`, `90s`, `1.5s`, `500ms`, `0`. */

const unitNanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Seconds, with fractions; undefined when the text is no duration. */
export function parseGoDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1
  const unsigned = text.replace(/^[-+]/, '')
  if (unsigned === '0') return 0
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(unsigned)) return undefined
  let nanoseconds = 0
  for (const [, amount = '', unit = ''] of unsigned.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    nanoseconds += Math.trunc(Number(amount) * (unitNanoseconds[unit] ?? 0))
  }
  return (sign * nanoseconds) / 1e9
}
