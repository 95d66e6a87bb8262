import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tryRun } from '../host/command.ts'
import { CurlError, type CurlOptions, curlArguments, parseCurl } from './curl.ts'

let server: Server
let url = ''

beforeAll(async () => {
  server = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url === '/moved') {
        answer.writeHead(302, { location: '/here' }).end()
        return
      }
      answer.setHeader('set-cookie', ['a=1', 'b=2'])
      answer
        .writeHead(404)
        .end(`${request.method} ${request.headers.host} ${Buffer.concat(chunks).toString()}\n`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  url = `http://127.0.0.1:${address.port}`
})

afterAll(() => void server.close())

async function curl(to: string, o: CurlOptions = {}) {
  const { code, stdout, stderr } = await tryRun(
    ['curl', ...curlArguments(to, o)],
    o.body === undefined ? {} : { input: o.body },
  )
  if (code !== 0) throw new CurlError(to, code, stderr)
  return parseCurl(stdout)
}

test('status, body, repeated headers and addresses of an exchange', async () => {
  const answer = await curl(`${url}/x`, { host: 'echo.example', method: 'PUT', body: 'two\nlines' })
  expect(answer).toMatchObject({
    status: 404,
    body: 'PUT echo.example two\nlines\n',
    remoteAddress: '127.0.0.1',
    httpVersion: '1.1',
  })
  expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
})

test('a redirect is followed only when asked for', async () => {
  expect((await curl(`${url}/moved`)).status).toBe(302)
  expect((await curl(`${url}/moved`, { followRedirects: true })).status).toBe(404)
})

test('an address stands in for the name', async () => {
  const named = url.replace('127.0.0.1', 'web.example')
  expect((await curl(named, { resolve: '127.0.0.1' })).body).toContain('web.example')
  expect(curlArguments('https://a.example/', { resolve: 'fd00::1' })).toContain('a.example:443:[fd00::1]')
})

test('an error says what the kernel said, and nothing of what went well', async () => {
  const refused = curl('http://127.0.0.1:1/', { headers: { 'x-long': 'x' } })
  await expect(refused).rejects.toThrow(
    /^curl http:\/\/127.0.0.1:1\/: curl: \(7\) .*; connect to 127.0.0.1 port 1 .*failed: Connection refused$/,
  )
})
