import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LeaderElection, type LeaderElectionOptions } from './leader-election.ts'
import { FakeApiServer, statusOf } from './testing/fake-api-server.ts'

let server: FakeApiServer

beforeEach(async () => {
  server = new FakeApiServer()
  await server.listen()
})

afterEach(() => server.close())

/** `story`: what it logs. */
function electionWith(times: Pick<LeaderElectionOptions, 'retrySeconds' | 'answerSeconds'>) {
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
    ...times,
  })
  return { cluster, story, election }
}

it('tries for the lease as soon as the API server is back, however seldom it is tried else', async () => {
  const { cluster, story, election } = electionWith({ retrySeconds: 600 })
  server.answer = () => 'reset'
  election.start()
  await expect.poll(() => story).toEqual(['leaseFailed'])
  server.answer = ({ method }) =>
    method === 'GET' ? { status: 404, body: statusOf(404, 'NotFound') } : { status: 201, body: {} }
  await expect.poll(() => story).toEqual(['leaseFailed', 'becameLeader'])
  server.answer = () => ({ status: 404, body: statusOf(404, 'NotFound') })
  await election.stop()
  cluster.close()
})

it('does not wait for long for the first answer of an API server that has just started', async () => {
  const { cluster, story, election } = electionWith({ answerSeconds: 600 })
  server.answer = () => 'reset'
  election.start()
  await expect.poll(() => story).toEqual(['leaseFailed'])
  let asked = 0
  server.answer = () => (asked++ === 0 ? 'silence' : { status: 404, body: statusOf(404, 'NotFound') })
  await expect.poll(() => asked).toBeGreaterThan(1)
  await election.stop()
  cluster.close()
})

it('leads alone where the API server has no Leases, and never where only the namespace is missing', async () => {
  const { cluster, story, election } = electionWith({ retrySeconds: 0.02 })
  let asked = 0
  server.answer = () => {
    asked++
    return { status: 404, body: statusOf(404, 'NotFound') }
  }
  election.start()
  await expect.poll(() => asked).toBeGreaterThan(8)
  expect(story).toEqual(['leaseFailed'])
  server.answer = () => ({ status: 404, body: '404 page not found' })
  await expect.poll(() => story).toEqual(['leaseFailed', 'noRightToLeases', 'becameLeader'])
  await election.stop()
  cluster.close()
})
