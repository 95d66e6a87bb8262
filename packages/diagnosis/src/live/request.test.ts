/** One request to servers on the loopback. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createRaw, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { readTarget, type Target } from '../trace/target.ts'
import { tryRequest } from './request.ts'

const open: { close(): unknown }[] = []

afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function portOf(server: Server): Promise<number> {
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function targetAt(port: number, path: string): Target {
  const read = readTarget(`http://shop.test:${port}${path}`, { method: 'GET', headers: [['X-One', '1']] })
  if (typeof read === 'string') throw new Error(read)
  return { ...read, addresses: { kind: 'told', all: ['127.0.0.1'] } }
}

test('asks as the URL says, and tells the status and who answers', async () => {
  const seen: unknown[] = []
  const server = createServer(({ url, headers }, response) => {
    seen.push([url, headers.host, headers['x-one']])
    response.writeHead(302, { server: 'envoy', location: '/there' }).end()
  })
  const port = await portOf(server)
  expect(await tryRequest('127.0.0.1', targetAt(port, '/cart?a=b'))).toEqual({
    kind: 'answered',
    status: 302,
    server: 'envoy',
    location: '/there',
    distrust: '',
  })
  expect(seen).toEqual([['/cart?a=b', `shop.test:${port}`, '1']])
})

test('tells a connection that is refused from one that gives no answer', async () => {
  const silent = createRaw((socket) => socket.destroy())
  const port = await portOf(silent)
  expect(await tryRequest('127.0.0.1', targetAt(port, '/'))).toMatchObject({ kind: 'noAnswer' })
  const gone = createRaw()
  const free = await portOf(gone)
  gone.close()
  await once(gone, 'close')
  open.length = 0
  expect(await tryRequest('127.0.0.1', targetAt(free, '/'))).toMatchObject({
    kind: 'noConnection',
    code: 'ECONNREFUSED',
  })
})
