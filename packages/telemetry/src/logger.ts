/**
 * Logs: one JSON object a line on stdout (or `key=value` text), its keys sorted, always with `ts` (RFC 3339, UTC), `caller`
 * (`package/src/file.ts:line`), `level`, `event` and `msg`. `event` is a stable identifier that users search for.
 */
import { pino } from 'pino'
import { callerOf } from './caller.ts'

export type LogLevel = 'all' | 'debug' | 'info' | 'warn' | 'error' | 'none'

export const logLevels: readonly LogLevel[] = ['all', 'debug', 'info', 'warn', 'error', 'none']

export type LogFormat = 'json' | 'text'

export type LogFields = Readonly<Record<string, unknown>>

/** @param msg a sentence for people; the event's name when left out */
export interface Logger {
  debug(event: string, fields?: LogFields, msg?: string): void
  info(event: string, fields?: LogFields, msg?: string): void
  warn(event: string, fields?: LogFields, msg?: string): void
  error(event: string, fields?: LogFields, msg?: string): void
  /** A logger whose every line carries these fields too. */
  child(fields: LogFields): Logger
}

export interface LoggerOptions {
  readonly level?: LogLevel
  /** `json` */
  readonly format?: LogFormat
  /** Where lines go instead of stdout. */
  readonly write?: (line: string) => void
}

type Level = 'debug' | 'info' | 'warn' | 'error'

const order: Readonly<Record<LogLevel, number>> = { all: 0, debug: 1, info: 2, warn: 3, error: 4, none: 5 }

export function createLogger(options: LoggerOptions = {}): Logger {
  const threshold = order[options.level ?? 'info']
  const sink = options.write ?? writeWith(pino.destination({ dest: 1, sync: true }))
  return loggerOver({}, threshold, options.format === 'text' ? renderText : render, sink)
}

export function silentLogger(): Logger {
  return createLogger({ level: 'none' })
}

function writeWith(destination: { write(line: string): unknown }): (line: string) => void {
  return (line) => {
    destination.write(line)
  }
}

type Render = (fields: LogFields) => string

function loggerOver(
  bound: LogFields,
  threshold: number,
  render: Render,
  sink: (line: string) => void,
): Logger {
  const log = (level: Level) => {
    const write = (event: string, fields?: LogFields, msg?: string) => {
      if (order[level] < threshold) return
      const caller = callerOf(write)
      const ts = new Date().toISOString()
      sink(`${render({ ...bound, ...fields, caller, event, level, msg: msg ?? event, ts })}\n`)
    }
    return write
  }
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => loggerOver({ ...bound, ...fields }, threshold, render, sink),
  }
}

function render(fields: LogFields): string {
  const keys = Object.keys(fields).toSorted()
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, plain(fields[key])])))
}

/** Texts with anything but plain characters in quotes, as `logfmt` has them. */
function renderText(fields: LogFields): string {
  const words = Object.keys(fields)
    .toSorted()
    .map((key) => {
      const value = plain(fields[key])
      const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
      return `${key}=${/^[\w./:@+-]+$/.test(text) ? text : JSON.stringify(text)}`
    })
  return words.join(' ')
}

/** What JSON cannot say by itself. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return describeError(value)
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Set) return [...value]
  if (value instanceof Map) return Object.fromEntries(value)
  return value
}

/** An error and its causes in one line: `connect failed: ECONNREFUSED`. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const message = error.message || code || error.name
  return error.cause === undefined ? message : `${message}: ${describeError(error.cause)}`
}
