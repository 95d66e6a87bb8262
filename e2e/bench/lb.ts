/**
 * The pure allocator at growing numbers of Services: time for each allocation one by one, for a restart that adopts all
 * statuses in one batch, and for the next address after one deletion when the pool is full. Then at growing numbers of
 * pools and of their entries, down to the last free address: time for each allocation, and for building the
 * configuration.
 */
import { best, configOf, measure, measurePools, rounds, sizes } from '../allocator/pure.ts'

/** Pools and the entries of each. */
const shapes = [
  [1, 1],
  [1, 1000],
  [1, 10_000],
  [100, 10],
  [1000, 1],
] as const

export function benchAllocator(): void {
  measure(1000, configOf(['10.0.0.0/8']))
  benchServices()
  process.stdout.write('\n')
  benchPools()
}

function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell) => cell.padStart(16)).join('')}\n`)
}

function benchServices(): void {
  print(['Services', 'µs/allocation', 'of 1k', 'ms/restart', 'ms/next address'])
  let first: number | undefined
  for (const size of sizes) {
    const { allocate, restart, next } = best(size)
    first ??= allocate
    print([
      String(size),
      (allocate * 1000).toFixed(1),
      `${(allocate / first).toFixed(2)} ×`,
      restart.toFixed(0),
      next.toFixed(3),
    ])
  }
}

function benchPools(): void {
  print(['Pools', 'entries of each', 'µs/allocation', 'ms/buildConfig'])
  for (const [pools, entries] of shapes) {
    const all = Array.from({ length: rounds }, () => measurePools(pools, entries))
    const allocate = Math.min(...all.map((one) => one.allocate))
    const build = Math.min(...all.map((one) => one.build))
    print([String(pools), String(entries), (allocate * 1000).toFixed(1), build.toFixed(1)])
  }
}
