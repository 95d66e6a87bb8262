/** The `process_*` and `nodejs_*` figures that dashboards know, read when they are asked for. */
import { readdirSync } from 'node:fs'
import { Counter, Gauge, type Registry } from './prometheus.ts'

export function addProcessMetrics(registry: Registry): void {
  const registers = [registry]
  const read = (name: string, help: string, value: () => number): void => {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(value()) })
  }
  let counted = 0
  const seconds: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system time spent, in seconds.',
    registers,
    collect: () => {
      const { user, system } = process.cpuUsage()
      seconds.inc((user + system) / 1e6 - counted)
      counted = (user + system) / 1e6
    },
  })
  const started = Date.now() / 1000 - process.uptime()
  read('process_start_time_seconds', 'When the process started, seconds since the epoch.', () => started)
  read('process_resident_memory_bytes', 'Resident memory in bytes.', () => process.memoryUsage.rss())
  read('process_open_fds', 'Open file descriptors.', openDescriptors)
  read(
    'nodejs_heap_size_used_bytes',
    'JavaScript heap in use, in bytes.',
    () => process.memoryUsage().heapUsed,
  )
  const node = { name: 'nodejs_version_info', help: 'The version of Node, always 1.', registers }
  new Gauge({ ...node, labelNames: ['version'] }).set({ version: process.version }, 1)
}

/** 0 where there is no /proc. */
function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
