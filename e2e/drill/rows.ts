/** The rows of a drill's parts as a table, and what is wrong with them. */
import { renderTable } from '../demo/table.ts'
import { median, type Verdict } from './drill.ts'
import type { Row } from './part.ts'
import { ms } from './report.ts'

const greatest = 'max '

export function judge(rows: readonly Row[]): Verdict {
  const table = [
    ['PART', 'WHAT', 'SETTING', 'TIMES', 'MEDIAN', 'WORST', 'LIMITS', 'AGAIN', 'TOO BUSY', 'COUNTS'],
  ]
  const complaints: string[] = []
  const groups = Map.groupBy(rows, ({ part, what, setting }) => [part, what, setting].join('\n'))
  for (const group of groups.values()) {
    const [first] = group
    if (first === undefined) continue
    const { part, what, setting, limits } = first
    const gaps = group.flatMap(({ gapMs }) => gapMs ?? [])
    const [middle, worst] = [median(gaps), Math.max(...gaps)]
    table.push([
      part,
      what,
      setting,
      `${group.length}`,
      gaps.length === 0 ? '' : ms(middle),
      gaps.length === 0 ? '' : ms(worst),
      limits === undefined ? '' : `${limits.median} / ${limits.worst ?? '–'} ms`,
      `${group.filter(({ tries }) => tries > 1).length}`,
      `${group.filter(({ gapMs, lateMs }) => gapMs !== undefined && lateMs > gapMs / 2).length}`,
      countsOf(group),
    ])
    const name = [part, what, setting].filter(Boolean).join(', ')
    if (limits !== undefined && gaps.length > 0) {
      if (middle >= limits.median)
        complaints.push(`${name}: the median is ${ms(middle)}, not below ${limits.median} ms`)
      if (limits.worst !== undefined && worst >= limits.worst)
        complaints.push(`${name}: the worst is ${ms(worst)}, not below ${limits.worst} ms`)
    }
    for (const row of group) complaints.push(...row.complaints.map((text) => `${name}: ${text}`))
  }
  return { table: renderTable(table), complaints }
}

function countsOf(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))]
  const texts = names.map((name) => {
    const values = rows.flatMap(({ figures }) => figures[name] ?? [])
    const value = name.startsWith(greatest) ? Math.max(...values) : values.reduce((sum, one) => sum + one, 0)
    return `${name.replace(greatest, '')} ${Math.round(value * 10) / 10}`
  })
  return texts.join(', ')
}
