import { get, type IncomingHttpHeaders } from 'node:http'
import { type HttpServer, serveHttp } from '@landfall/telemetry'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { profileRoutes } from './profiles.ts'

let server: HttpServer

beforeAll(async () => {
  server = await serveHttp({ address: '127.0.0.1', port: 0, routes: profileRoutes() })
})
afterAll(() => server.close())

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** On a connection of its own. */
function ask(path: string): Promise<Answer> {
  const at = { host: '127.0.0.1', port: server.port, path: `/debug/pprof${path}`, agent: false as const }
  return new Promise((resolve, reject) => {
    const call = get(at, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    call.on('error', reject)
  })
}

/** Work under a name that a profile can show. */
function toilingHere(until: number): void {
  while (performance.now() < until) JSON.stringify(Array.from({ length: 1000 }, (_, index) => ({ index })))
}

test('a profile of the processor names the functions that ran', async () => {
  const asked = ask('/profile?seconds=0.5')
  const toil = setInterval(() => toilingHere(performance.now() + 20), 30)
  onTestFinished(() => clearInterval(toil))
  const answer = await asked
  expect(answer.headers['content-disposition']).toContain('.cpuprofile')
  const profile: unknown = JSON.parse(answer.body)
  expect(profile).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) })
  expect(JSON.stringify(profile)).toContain('"toilingHere"')
})

test('a profile of the heap has what was allocated meanwhile, and there is one at a time', async () => {
  const asked = ask('/heap?seconds=3')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect((await ask('/profile?seconds=1')).status).toBe(409)
  expect(JSON.parse((await asked).body)).toMatchObject({
    head: { callFrame: {} },
    samples: expect.any(Array),
  })
  expect((await ask('/heap?seconds=0.1')).status).toBe(200)
})

test.each(['0', '-1', '61', 'long'])('seconds=%s is refused', async (seconds) => {
  expect((await ask(`/profile?seconds=${seconds}`)).status).toBe(400)
})

test('what only Go programs have is refused with the reason', async () => {
  const answer = await ask('/goroutine')
  expect([answer.status, answer.body]).toEqual([
    404,
    'goroutine is of Go programs, and this is none: there are no goroutines: there is one thread of JavaScript\n',
  ])
  expect((await ask('/')).body).toContain('/debug/pprof/profile?seconds=N')
  expect((await ask('/cmdline')).status).toBe(200)
})
