// Resource quantities, as resourceFieldRef gives them: the value divided by the divisor, rounded up.

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
}

/** Undefined when the text is no quantity. */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?[0-9]*\.?[0-9]+|[0-9]+\.)(?:[eE]([+-]?[0-9]+)|([numkMGTP]|[KMGTP]i)?)$/.exec(text)
  if (match === null) return undefined
  const [, digits = '', exponent, suffix = ''] = match
  return Number(digits) * (exponent === undefined ? (SUFFIXES[suffix] ?? Number.NaN) : 10 ** Number(exponent))
}

export function divideQuantity(value: number, divisor: string | undefined): string {
  const by = parseQuantity(divisor ?? '1') ?? 1
  // 0.5 / 0.001 and the like come out a hair above the whole number.
  return String(Math.ceil(value / (by === 0 ? 1 : by) - 1e-9))
}
