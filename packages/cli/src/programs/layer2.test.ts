import { rebalanceRoute } from '@landfall/speaker/rebalance-request'
import { type HttpAnswer, type HttpServer, serveHttp } from '@landfall/telemetry'
import { afterEach, expect, test } from 'vitest'
import { commandOf } from '../command.ts'
import { askToRebalance } from './layer2.ts'

let server: HttpServer | undefined

afterEach(() => server?.close())

async function speaker(answer: HttpAnswer | undefined): Promise<number> {
  const posts = rebalanceRoute(() => (answer === undefined ? undefined : () => answer))
  server = await serveHttp({ address: '127.0.0.1', port: 0, routes: {}, posts })
  return server.port
}

test('says what the speaker does', async () => {
  expect(await askToRebalance(await speaker({ status: 200, body: 'asked n1\n' }))).toBe('asked n1\n')
})

test('a speaker that can do nothing, one that starts, and none at all are failures', async () => {
  const cut = await speaker({ status: 503, body: 'lost contact\n' })
  await expect(askToRebalance(cut)).rejects.toThrow('nothing was done (503): lost contact')
  await server?.close()
  const starting = await speaker(undefined)
  await expect(askToRebalance(starting)).rejects.toThrow('nothing was done (503): the speaker is starting')
  await server?.close()
  await expect(askToRebalance(starting)).rejects.toThrow(/no speaker answers on port .*ECONNREFUSED.*kubectl/)
})

test('only a POST asks', async () => {
  const port = await speaker({ status: 200, body: '' })
  const answers = ['GET', 'HEAD', 'PUT'].map(async (method) => {
    return (await fetch(`http://127.0.0.1:${port}/layer2/rebalance`, { method })).status
  })
  expect(await Promise.all(answers)).toEqual([404, 404, 404])
})

test('it is a command of landfall', () => {
  const layer2 = commandOf('landfall').commands.find((command) => command.name() === 'layer2')
  expect(layer2?.commands.map((command) => command.name())).toEqual(['rebalance'])
})
