/** What is said where the API server takes no status. */
import type { IPAddressPool } from '@landfall/api'
import { EventRecorder, type ResourceType } from '@landfall/kube'
import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import type { Refusal } from '@landfall/metallb'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Ledger } from './allocation/ledger.ts'
import type { Configured } from './configuration.ts'
import { Reports } from './reports.ts'

const namespace = 'metallb-system'
const type: ResourceType = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  plural: 'ipaddresspools',
  namespaced: true,
  project: () => {
    throw new Error('not watched')
  },
}
const meta = {
  namespace,
  name: 'bad',
  uid: 'u',
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: '',
  labels: {},
  annotations: {},
  deleting: false,
}
const object: IPAddressPool = { meta, spec: { addresses: ['nonsense'] } }
const message = 'IPAddressPool metallb-system/bad: spec.addresses[0]: "nonsense" is no range'
const refusal: Refusal = {
  kind: 'IPAddressPool',
  namespace,
  name: 'bad',
  field: 'spec.addresses[0]',
  reason: 'InvalidAddress',
  message,
}

let server: FakeApiServer
let reports: Reports

beforeEach(async () => {
  server = new FakeApiServer()
  await server.listen()
  const cluster = server.cluster()
  const logger = silentLogger()
  const events = new EventRecorder({ cluster, component: 'metallb-controller', logger })
  const more = {
    configMap: 'config',
    loadBalancerClass: '',
    mayWrite: () => true,
    ledger: new Ledger(),
  }
  reports = new Reports({ cluster, namespace, logger, events, ...more })
})

afterEach(async () => {
  await reports.stop()
  await server.close()
})

function judge(refusals: readonly Refusal[], both: boolean): void {
  const configured: Configured = {
    config: { pools: [], peers: [] },
    refusals,
    warnings: [],
    notes: [],
    source: 'objects',
    both,
  }
  reports.configChanged(configured, [{ type, object }])
}

const sent = (method: string, end: string) =>
  server.requests.filter((one) => one.method === method && one.path.endsWith(end))

/** Until the object was read so often: each report begins with that. */
async function read(times: number): Promise<void> {
  while (sent('GET', '/ipaddresspools/bad').length < times) await pause(20)
  await pause(50)
}

it.each([
  ['the definition refuses the object as it is stored', 422],
  ['the role grants no status', 403],
])('one Event says what the status cannot, and nothing is written in a loop: %s', async (_, status) => {
  server.answer = ({ method, path, body }) => {
    if (method !== 'PUT') {
      const metadata = { namespace, name: 'bad', uid: 'u', resourceVersion: '1' }
      return path.includes('/ipaddresspools/')
        ? { body: { metadata, spec: object.spec } }
        : { body: body ?? { metadata } }
    }
    return path.includes('/ipaddresspools/') ? { status, body: statusOf(status, 'No') } : { body }
  }
  judge([refusal], false)
  await read(1)
  judge([refusal], true)
  if (status === 422) await read(2)
  else await pause(1200)
  const events = () => sent('POST', '/events').map(({ body }) => body)
  await expect.poll(events).toMatchObject([
    {
      type: 'Warning',
      reason: 'InvalidAddress',
      message,
      involvedObject: { kind: 'IPAddressPool', name: 'bad' },
    },
  ])
  const puts = sent('PUT', '/ipaddresspools/bad/status').length
  expect(status === 422 ? puts === 1 : puts <= 3).toBe(true)
})

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

it('asks again only for what changed', async () => {
  const metadata = { namespace, name: 'bad', uid: 'u', resourceVersion: '1' }
  server.answer = ({ method, body }) => ({ body: method === 'GET' ? { metadata } : (body ?? {}) })
  judge([refusal], false)
  await read(1)
  judge([refusal], false)
  await pause(1200)
  expect(sent('GET', '/ipaddresspools/bad')).toHaveLength(1)
  judge([], false)
  await read(2)
})
