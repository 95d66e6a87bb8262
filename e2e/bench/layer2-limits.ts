/** What the figures of the layer 2 bench may be (pure): each function says what is not as it should be, a sentence each. */

/** Microseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

/** A process has to be woken for each answer, which the kernel gives at once. */
const timesKernel = 5
/** A slice of the worker and a wake-up on a machine with other work, in µs. */
const beyondKernel = 10_000
const cpuUnderNoise = 25
const sliceMs = 5
const residentMiB = 100
const lastMs = 1500
/** For so many; more are reported alone. */
const takenOver = 1000
const followMs = 100

export function judgeAnswers(
  name: string,
  { ours, kernel, lost }: { readonly ours: Latency; readonly kernel: Latency; readonly lost: number },
): readonly string[] {
  const [median, worst] = [timesKernel * kernel.p50, kernel.p99 + beyondKernel]
  return [
    ...below(`${name}: the median`, ours.p50, median, 'µs'),
    ...below(`${name}: p99`, ours.p99, worst, 'µs'),
    ...(lost > 0 ? [`${name}: ${lost} requests were not answered`] : []),
  ]
}

export function judgeNoise(noise: {
  readonly perSecond: number
  readonly wanted: number
  readonly cpu: number
}): readonly string[] {
  const { perSecond, wanted, cpu } = noise
  const weak = perSecond < wanted * 0.9 ? [`the noise was ${perSecond.toFixed(0)} requests a second`] : []
  return [...weak, ...below('noise: processor time', cpu, cpuUnderNoise, '% of a core')]
}

export function judgeBurst(
  name: string,
  burst: {
    readonly requests: number
    readonly answers: number
    /** undefined: it was frozen, which is no turn. */
    readonly longestTurn: number | undefined
    readonly rssMiB: number
  },
): readonly string[] {
  const { requests, answers, longestTurn = 0, rssMiB } = burst
  return [
    ...(answers === requests ? [] : [`${name}: ${answers} of ${requests} requests were answered`]),
    ...judgeProcess(name, { longestTurn, rssMiB }),
  ]
}

export function judgeTakeover(
  name: string,
  over: {
    readonly count: number
    readonly announced: number
    readonly lastMs: number
    readonly longestTurn: number
    readonly rssMiB: number
  },
): readonly string[] {
  const { count, announced } = over
  return [
    ...(announced === count ? [] : [`${name}: ${announced} of ${count} addresses were announced`]),
    ...(count > takenOver ? [] : below(`${name}: the last announcement`, over.lastMs, lastMs, 'ms')),
    ...judgeProcess(name, over),
  ]
}

export function judgeLinks(name: string, worstMs: number): readonly string[] {
  return below(`${name}: until it was answered again`, worstMs, followMs, 'ms')
}

function judgeProcess(
  name: string,
  { longestTurn, rssMiB }: { readonly longestTurn: number; readonly rssMiB: number },
): readonly string[] {
  return [
    ...below(`${name}: the longest turn`, longestTurn, sliceMs, 'ms'),
    ...below(`${name}: memory`, rssMiB, residentMiB, 'MiB'),
  ]
}

function below(what: string, value: number, limit: number, unit: string): readonly string[] {
  if (value <= limit) return []
  return [`${what} is ${value.toFixed(1)} ${unit}, more than ${limit.toFixed(0)}`]
}
