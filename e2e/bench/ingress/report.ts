/** Cells as tables. */
import { renderTable } from '../../demo/table.ts'
import { median } from '../../drill/drill.ts'
import { type Cell, type Change, type ChangeFigures, changes } from './cell.ts'

export function tablesOf(cells: readonly Cell[]): string {
  return [latencies(cells), costs(cells), starts(cells)].join('\n')
}

function latencies(cells: readonly Cell[]): string {
  const heads = changes.flatMap((change) => [`${change.toUpperCase()} P50`, 'P99'])
  return renderTable([
    ['HOSTS', 'MODE', ...heads, 'REQUEST ITSELF P50', 'OWN DELAY'],
    ...cells.map((cell) => [
      ...nameOf(cell),
      ...changes.flatMap((change) => {
        const { latenciesMs } = cell.changes[change]
        return [ms(median(latenciesMs)), ms(quantile(latenciesMs, 0.99))]
      }),
      ms(median(changes.flatMap((change) => cell.changes[change].requestsMs))),
      ms(cell.lateMs),
    ]),
  ])
}

/** Of one change, on average and as the median; with ratios to the cell of the smaller size in the same run. */
function costs(cells: readonly Cell[]): string {
  const heads = changes.flatMap((change) => [`${change.toUpperCase()}: BYTES`, 'SERVE CPU', 'ENVOY CPU'])
  return renderTable([
    ['HOSTS', 'MODE', ...heads],
    ...cells.map((cell) => [
      ...nameOf(cell),
      ...changes.flatMap((change) => {
        const { bytes } = cell.changes[change]
        return [
          bytes.toFixed(0),
          cpu(cells, cell, change, 'serveCpuMs'),
          cpu(cells, cell, change, 'envoyCpuMs'),
        ]
      }),
    ]),
  ])
}

function cpu(
  cells: readonly Cell[],
  cell: Cell,
  change: Change,
  figure: keyof Pick<ChangeFigures, 'serveCpuMs' | 'envoyCpuMs'>,
): string {
  const own = centres(cell.changes[change][figure])
  const small = cells.find((one) => one.mode === cell.mode && one.beside === cell.beside && one !== cell)
  const text = own.map(ms).join(', ')
  if (small === undefined || cell.size !== cell.beside) return text
  const ratios = centres(small.changes[change][figure]).map((one, at) => (own[at] ?? 0) / one)
  return `${text} (${ratios.map((one) => one.toFixed(1)).join(', ')} ×)`
}

function centres(values: readonly number[]): readonly number[] {
  return [values.reduce((sum, one) => sum + one, 0) / values.length, median(values)]
}

function starts(cells: readonly Cell[]): string {
  const heads = ['FILLED IN', 'FIRST START', 'COLD START', 'READY', 'ASKED', 'MISSED']
  const restart = ['RESTART OF SERVE', 'BYTES', 'REQUESTS', 'LOST']
  return renderTable([
    ['HOSTS', 'MODE', ...heads, ...restart, 'SERVE', 'AT MOST', 'ENVOY UNASKED', 'ASKED'],
    ...cells.map((cell) => {
      const { coldStarts, restart, memory } = cell
      return [
        ...nameOf(cell),
        seconds(cell.fillMs),
        seconds(cell.firstStart.answeredMs),
        seconds(median(coldStarts.map(({ answeredMs }) => answeredMs))),
        seconds(median(coldStarts.map(({ readyMs }) => readyMs))),
        `${coldStarts.reduce((sum, { asked }) => sum + asked, 0)}`,
        `${coldStarts.reduce((sum, { missed }) => sum + missed, 0)}`,
        seconds(restart.tookMs),
        `${restart.bytes}`,
        `${restart.requests}`,
        `${restart.lost}`,
        mib(memory.serveMiB),
        mib(memory.servePeakMiB),
        mib(median(coldStarts.map(({ envoyMiB }) => envoyMiB))),
        mib(memory.envoyMiB),
      ]
    }),
  ])
}

function nameOf({ size, beside, mode }: Cell): readonly string[] {
  return [size === beside ? `${size}` : `${size} (beside ${beside})`, mode]
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(2)} s`
}

function mib(value: number): string {
  return `${value.toFixed(0)} MiB`
}
