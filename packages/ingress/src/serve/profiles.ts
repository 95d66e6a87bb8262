/**
 * `/debug/pprof`: what Node can tell of itself, where operators of Contour look for it. The paths are those of Go's
 * net/http/pprof; the profiles are V8's, which the developer tools of browsers and speedscope open.
 */
import type { HttpAnswer, Routes } from '@landfall/telemetry'

const at = '/debug/pprof'
const mostSeconds = 60
const usual = { profile: 30, heap: 10 } as const
/** Bytes between two samples, on the average; V8's own default. */
const samplingInterval = 32_768

/** Of a Go program alone. */
const foreign: Readonly<Record<string, string>> = {
  allocs: `use ${at}/heap?seconds=N: what was allocated while it ran and is still there`,
  block: 'nothing blocks: there is one thread of JavaScript',
  goroutine: 'there are no goroutines: there is one thread of JavaScript',
  mutex: 'there are no locks: there is one thread of JavaScript',
  symbol: 'profiles of V8 name their functions',
  threadcreate: 'threads are those of V8 and libuv, made once',
  trace: `use ${at}/profile?seconds=N`,
}

const index = `This is no Go program: profiles are V8's, for the developer tools of Chrome or https://www.speedscope.app.

${at}/profile?seconds=N  where processor time goes for N seconds (${usual.profile}); a .cpuprofile
${at}/heap?seconds=N     what is allocated in N seconds (${usual.heap}) and still there; a .heapprofile
${at}/cmdline            the command line
`

export function profileRoutes(): Routes {
  let busy = false
  const alone = async (url: URL, kind: keyof typeof usual): Promise<HttpAnswer> => {
    const seconds = Number(url.searchParams.get('seconds') ?? usual[kind])
    if (!(seconds > 0 && seconds <= mostSeconds))
      return text(400, `seconds is a number above 0, at most ${mostSeconds}\n`)
    if (busy) return text(409, 'another profile is being made\n')
    busy = true
    try {
      const body = JSON.stringify(await profile(kind, seconds))
      const name = kind === 'profile' ? 'serve.cpuprofile' : 'serve.heapprofile'
      const headers = { 'content-disposition': `attachment; filename="${name}"` }
      return { status: 200, contentType: 'application/json', body, headers }
    } finally {
      busy = false
    }
  }
  const others = Object.entries(foreign).map(([name, why]) => [
    `${at}/${name}`,
    () => text(404, `${name} is of Go programs, and this is none: ${why}\n`),
  ])
  return {
    [at]: () => text(200, index),
    [`${at}/`]: () => text(200, index),
    [`${at}/cmdline`]: () => text(200, process.argv.join('\0')),
    [`${at}/profile`]: (url) => alone(url, 'profile'),
    [`${at}/heap`]: (url) => alone(url, 'heap'),
    ...(Object.fromEntries(others) as Routes),
  }
}

function text(status: number, body: string): HttpAnswer {
  return { status, body }
}

async function profile(kind: keyof typeof usual, seconds: number): Promise<object> {
  // Nothing of it is loaded before it is asked for.
  const { Session } = process.getBuiltinModule('node:inspector/promises')
  const session = new Session()
  session.connect()
  const wait = () => new Promise<void>((resolve) => void setTimeout(resolve, seconds * 1000).unref())
  try {
    if (kind === 'heap') {
      await session.post('HeapProfiler.startSampling', { samplingInterval })
      await wait()
      return (await session.post('HeapProfiler.stopSampling')).profile
    }
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await wait()
    return (await session.post('Profiler.stop')).profile
  } finally {
    session.disconnect()
  }
}
