import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LeaderElection } from './leader-election.ts'
import { FakeApiServer, statusOf } from './testing/fake-api-server.ts'

let server: FakeApiServer

beforeEach(async () => {
  server = new FakeApiServer()
  await server.listen()
})

afterEach(() => server.close())

it('tries for the lease as soon as the API server is back, however seldom it is tried else', async () => {
  const cluster = server.cluster()
  const story: string[] = []
  const election = new LeaderElection({
    cluster,
    namespace: 'default',
    name: 'lease',
    identity: 'a',
    logger: createLogger({ write: (line) => void story.push(JSON.parse(line).event) }),
    onStarted: () => {},
    onStopped: () => {},
    retrySeconds: 600,
  })
  server.answer = () => 'reset'
  election.start()
  await expect.poll(() => story, { timeout: 10_000 }).toEqual(['leaseFailed'])
  server.answer = ({ method }) =>
    method === 'GET' ? { status: 404, body: statusOf(404, 'NotFound') } : { status: 201, body: {} }
  await expect.poll(() => story, { timeout: 10_000 }).toEqual(['leaseFailed', 'becameLeader'])
  server.answer = () => ({ status: 404, body: statusOf(404, 'NotFound') })
  await election.stop()
  cluster.close()
})
