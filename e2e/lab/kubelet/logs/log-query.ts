// Which bytes of a log a request means: `previous`, `sinceTime` or `sinceSeconds`, `tailLines`,
// `limitBytes`; and the lines with their times. Pure.
import type { LogFile, Mark } from './log-files.ts'

export interface LogQuery {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  readonly limitBytes: number | undefined
  /** Milliseconds. */
  readonly since: number | undefined
}

export function parseLogQuery(query: URLSearchParams, now: number): LogQuery {
  const sinceSeconds = query.get('sinceSeconds')
  const sinceTime = query.get('sinceTime')
  const number = (name: string) => {
    const text = query.get(name)
    return text === null || !/^\d+$/.test(text) ? undefined : Number(text)
  }
  return {
    follow: query.get('follow') === 'true',
    previous: query.get('previous') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    since:
      sinceSeconds !== null
        ? now - Number(sinceSeconds) * 1000
        : sinceTime !== null
          ? Date.parse(sinceTime)
          : undefined,
  }
}

/** Undefined when there is no such run. */
export function logSpan(
  file: LogFile,
  query: LogQuery,
): { readonly from: number; readonly to: number } | undefined {
  const index = file.runs.length - (query.previous ? 2 : 1)
  const begin = file.runs[index]
  if (begin === undefined) return undefined
  const to = file.runs[index + 1] ?? file.size
  return { from: Math.max(begin, query.since === undefined ? begin : offsetAt(file, query.since)), to }
}

function offsetAt(file: LogFile, time: number): number {
  return file.marks.find((mark) => mark.time >= time)?.offset ?? file.size
}

/** Of a text that ends with a newline or does not, the last `count` lines. */
export function lastLines(text: string, count: number): string {
  if (count === 0) return ''
  let at = text.endsWith('\n') ? text.length - 1 : text.length
  for (let left = count; left > 0; left--) {
    at = text.lastIndexOf('\n', at - 1)
    if (at < 0) return text
  }
  return text.slice(at + 1)
}

/** Puts the time before each line; `offset` is the text's place in the file. */
export function withTimestamps(text: string, offset: number, marks: readonly Mark[]): string {
  let position = offset
  let index = 0
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      while ((marks[index + 1]?.offset ?? Number.POSITIVE_INFINITY) <= position) index += 1
      position += Buffer.byteLength(line)
      return `${new Date(marks[index]?.time ?? 0).toISOString()} ${line}`
    })
    .join('')
}
