/**
 * Who wrote a log line: `package/src/file.ts:line` of the code that called. In a bundle the place is looked up in
 * the source map beside it, when there is one (see source-lines.ts). One look a call site, then from a cache.
 */
import { fileURLToPath } from 'node:url'
import { loadSourceLines, type SourceLines } from './source-lines.ts'

const known = new Map<string, string>()
const maps = new Map<string, SourceLines | undefined>()

/** The caller of `entry`, a function on the current stack. */
export function callerOf(entry: (...args: never[]) => unknown): string {
  const site = callSite(entry)
  const file = site?.getFileName()
  const line = site?.getLineNumber()
  if (!file || !line) return 'unknown:0'
  const column = site?.getColumnNumber() ?? 1
  const place = `${file}:${line}:${column}`
  let name = known.get(place)
  if (name === undefined) {
    name = original(file.startsWith('file:') ? fileURLToPath(file) : file, line, column)
    known.set(place, name)
  }
  return name
}

function callSite(entry: (...args: never[]) => unknown): NodeJS.CallSite | undefined {
  const limit = Error.stackTraceLimit
  const prepare: typeof Error.prepareStackTrace = Reflect.get(Error, 'prepareStackTrace')
  const holder: { stack?: readonly NodeJS.CallSite[] } = {}
  try {
    Error.stackTraceLimit = 1
    Error.prepareStackTrace = (_, sites) => sites
    Error.captureStackTrace(holder, entry)
    return holder.stack?.[0]
  } finally {
    Error.prepareStackTrace = prepare
    Error.stackTraceLimit = limit
  }
}

function original(file: string, line: number, column: number): string {
  if (!maps.has(file)) maps.set(file, loadSourceLines(`${file}.map`))
  const at = maps.get(file)?.find(line, column)
  return at ? `${shorten(at.source)}:${at.line}` : `${shorten(file)}:${line}`
}

/** `…/packages/kube/src/x.ts` → `kube/src/x.ts`; elsewhere the last two names. */
function shorten(path: string): string {
  const names = path.split('/')
  const root = names.lastIndexOf('packages')
  return names.slice(root >= 0 ? root + 1 : -2).join('/')
}
