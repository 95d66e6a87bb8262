/** IPAddressPool objects → pools. Of two that overlap the older one stays. */
import type { IPAddressPool } from '@landfall/api'
import type { Namespace } from '@landfall/kube/model'
import { formatRange, overlap, parseRange, type Range, RangeIndex } from '@landfall/netip'
import type { Pool, ServiceAllocation } from './config.ts'
import { type Problems, problemsOf, type Refusal, reportDuplicates } from './refusal.ts'
import { reportSelectors, selectNames } from './selectors.ts'
import { overlapping, type TakenRange, take } from './taken-ranges.ts'

/** A pool without its advertisements. */
export type BarePool = Omit<Pool, 'l2' | 'bgp'> & { readonly labels: Readonly<Record<string, string>> }

/** `objects`: oldest first. The result keeps that order. */
export function readPools(
  objects: readonly IPAddressPool[],
  namespaces: readonly Namespace[],
): { pools: readonly BarePool[]; refusals: readonly Refusal[] } {
  const pools: BarePool[] = []
  const refusals: Refusal[] = []
  const taken: TakenRange[] = []
  for (const object of objects) {
    const problems = problemsOf('IPAddressPool', object)
    const ranges = readRanges(object, problems)
    reportOverlaps(problems, ranges, taken)
    const { autoAssign = true, avoidBuggyIPs = false } = object.spec
    const pool: BarePool = {
      name: object.meta.name,
      labels: object.meta.labels,
      ranges: ranges.map(({ range }) => range),
      autoAssign,
      avoidBuggyIPs,
      allocation: readAllocation(object, namespaces, problems),
      refused: problems.found.length > 0,
    }
    pools.push(pool)
    if (!pool.refused) take(taken, pool, pool.ranges)
    refusals.push(...problems.found)
  }
  return { pools, refusals }
}

/** `::ffff:0:0/96`: no API server takes one of these for an address of a Service. */
const mapped: Range = {
  first: { family: 6, value: 0xffffn << 32n },
  last: { family: 6, value: (0xffffn << 32n) + 0xffffffffn },
}

interface WrittenRange {
  readonly range: Range
  readonly text: string
  readonly field: string
}

function readRanges(object: IPAddressPool, problems: Problems): readonly WrittenRange[] {
  const ranges: WrittenRange[] = []
  if (object.spec.addresses.length === 0) {
    problems.report('spec.addresses', 'MissingField', 'a pool needs addresses')
  }
  for (const [index, text] of object.spec.addresses.entries()) {
    const field = `spec.addresses[${index}]`
    const range = parseRange(text)
    if (range !== undefined) {
      ranges.push({ range, text, field })
      if (!overlap(range, mapped)) continue
      const problem = 'has IPv4-mapped addresses, which no Service may have: write those of IPv4'
      problems.report(field, 'InvalidAddress', `${JSON.stringify(text)} ${problem}`)
    } else {
      const problem = 'is no CIDR and no range first-last (the lower address first, both of one family)'
      problems.report(field, 'InvalidAddress', `${JSON.stringify(text)} ${problem}`)
    }
  }
  return ranges
}

/** Of ranges of the pool itself the one written first stays; of pools the older one. */
function reportOverlaps(
  problems: Problems,
  ranges: readonly WrittenRange[],
  taken: readonly TakenRange[],
): void {
  const own = new RangeIndex(ranges.map(({ range }) => range))
  for (const [index, { range, text, field }] of ranges.entries()) {
    const other = ranges[own.findOverlap(range) ?? index]
    if (other === undefined || other.field === field) continue
    problems.report(field, 'OverlappingPool', `${JSON.stringify(text)} overlaps ${other.field}`)
  }
  for (const { range, field } of ranges) {
    for (const other of overlapping(taken, range)) {
      const text = `${formatRange(range)} overlaps ${formatRange(other)} of the older pool ${other.pool.name}`
      problems.report(field, 'OverlappingPool', text)
    }
  }
}

function readAllocation(
  object: IPAddressPool,
  namespaces: readonly Namespace[],
  problems: Problems,
): ServiceAllocation | undefined {
  const written = object.spec.serviceAllocation
  if (written === undefined) return undefined
  const field = 'spec.serviceAllocation'
  const { priority = 0, namespaces: named = [], namespaceSelectors = [], serviceSelectors = [] } = written
  reportDuplicates(problems, `${field}.namespaces`, named)
  reportSelectors(problems, `${field}.namespaceSelectors`, namespaceSelectors)
  reportSelectors(problems, `${field}.serviceSelectors`, serviceSelectors)
  const everyNamespace = named.length === 0 && namespaceSelectors.length === 0
  const selected = namespaceSelectors.length === 0 ? [] : selectNames(namespaceSelectors, namespaces)
  return {
    priority,
    namespaces: everyNamespace ? undefined : new Set([...named, ...selected].toSorted()),
    serviceSelectors,
  }
}
