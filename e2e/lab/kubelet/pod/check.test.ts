import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Action, Probe } from '../api/pod.ts'
import { check } from './check.ts'

const health = {
  Check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (b: Buffer) => b,
    requestDeserialize: (b: Buffer) => b,
    responseSerialize: (b: Buffer) => b,
    responseDeserialize: (b: Buffer) => b,
  },
}
/** The request for service `up` is 0a 02 75 70. */
const answers = new Map([
  ['', Buffer.from([8, 1])],
  ['0a027570', Buffer.from([8, 1])],
  ['0a04646f776e', Buffer.from([8, 2])],
])

const grpc = new Server()
const http = createServer((request, response) => {
  if (request.url === '/slow') return
  response.writeHead(request.url === '/bad' ? 500 : request.headers['x-key'] === 'moved' ? 302 : 200).end()
})
let grpcPort = 0
let httpPort = 0

beforeAll(async () => {
  grpc.addService(health, {
    Check: (call: { request: Buffer }, done: (error: object | null, answer?: Buffer) => void) => {
      const answer = answers.get(call.request.toString('hex'))
      done(answer === undefined ? { code: status.NOT_FOUND } : null, answer)
    },
  })
  grpcPort = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  httpPort = (http.address() as AddressInfo).port
})
afterAll(() => {
  grpc.forceShutdown()
  http.close()
  http.closeAllConnections()
})

function run(action: Action & Pick<Probe, 'grpc'>, timeoutMs = 30_000) {
  const container = { name: 'c', image: 'i', ports: [{ name: 'web', containerPort: httpPort }] }
  const exec = (argv: readonly string[]) =>
    Promise.resolve({ code: argv[0] === 'true' ? 0 : 3, output: 'why\n' })
  return check(action, { container, podIP: '127.0.0.1', exec }, timeoutMs)
}

test('grpc: serving, not serving, unknown service, nobody there', async () => {
  expect(await run({ grpc: { port: grpcPort } })).toBeUndefined()
  expect(await run({ grpc: { port: grpcPort, service: 'up' } })).toBeUndefined()
  expect(await run({ grpc: { port: grpcPort, service: 'down' } })).toBe('service is not SERVING')
  expect(await run({ grpc: { port: grpcPort, service: 'else' } })).toBe('grpc-status 5')
  expect(await run({ grpc: { port: 1 } })).toContain('ECONNREFUSED')
})

test('http: by named port, a redirect is good, 500 and silence are not', async () => {
  expect(await run({ httpGet: { port: 'web' } })).toBeUndefined()
  expect(
    await run({ httpGet: { port: 'web', httpHeaders: [{ name: 'X-Key', value: 'moved' }] } }),
  ).toBeUndefined()
  expect(await run({ httpGet: { port: httpPort, path: '/bad' } })).toBe(
    'HTTP probe failed with statuscode: 500',
  )
  expect(await run({ httpGet: { port: httpPort, path: '/slow' } }, 100)).toContain('100 ms')
  expect(await run({ httpGet: { port: 'other' } })).toBe('no port named other')
})

test('tcp and exec', async () => {
  expect(await run({ tcpSocket: { port: 'web' } })).toBeUndefined()
  expect(await run({ tcpSocket: { port: 1 } })).toContain('ECONNREFUSED')
  expect(await run({ exec: { command: ['true'] } })).toBeUndefined()
  expect(await run({ exec: { command: ['false'] } })).toBe('command ended with 3: why')
})
