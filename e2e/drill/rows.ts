/** The rows of a drill's parts as a table, and what is wrong with them. */
import { renderTable } from '../demo/table.ts'
import { median, type Verdict } from './drill.ts'
import { counts, isSpoilt, type Row, spoiltText } from './part.ts'
import { ms } from './report.ts'

const greatest = 'max '

export function judge(rows: readonly Row[]): Verdict {
  const table = [
    ['PART', 'WHAT', 'SETTING', 'TIMES', 'MEDIAN', 'WORST', 'LIMITS', 'AGAIN', 'TOO BUSY', 'COUNTS'],
  ]
  const complaints: string[] = []
  const again: string[] = []
  const groups = Map.groupBy(rows, ({ part, what, setting }) => [part, what, setting].join('\n'))
  for (const group of groups.values()) {
    const [first] = group
    if (first === undefined) continue
    const { part, what, setting, limits } = first
    const last = group.filter(counts)
    const gaps = last.flatMap(({ gapMs }) => gapMs ?? [])
    const [middle, worst] = [median(gaps), Math.max(...gaps)]
    table.push([
      part,
      what,
      setting,
      `${last.length}`,
      gaps.length === 0 ? '' : ms(middle),
      gaps.length === 0 ? '' : ms(worst),
      limits === undefined ? '' : `${limits.median} / ${limits.worst ?? '–'} ms`,
      `${group.reduce((sum, row) => sum + row.tries - (counts(row) ? 1 : 0), 0)}`,
      `${last.filter(isSpoilt).length}`,
      countsOf(last),
    ])
    const name = [part, what, setting].filter(Boolean).join(', ')
    if (limits !== undefined && gaps.length > 0) {
      if (middle >= limits.median)
        complaints.push(`${name}: the median is ${ms(middle)}, not below ${limits.median} ms`)
      if (limits.worst !== undefined && worst >= limits.worst)
        complaints.push(`${name}: the worst is ${ms(worst)}, not below ${limits.worst} ms`)
    }
    for (const row of group) {
      const ofTimes = counts(row) ? row.ofTimes : undefined
      complaints.push(...[...row.complaints, ...(ofTimes ?? [])].map((text) => `${name}: ${text}`))
      if (!counts(row)) again.push(`done again: ${name}: ${spoiltText(row)}\n`)
    }
  }
  return { table: [renderTable(table), ...again].join(''), complaints }
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
