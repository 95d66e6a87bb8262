/** What a speaker says in statuses on a real API server, as `kubectl get` shows it. */
import { crdManifest, metallbResources } from '@landfall/api/crd'
import type { Cluster } from '@landfall/kube'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { announcementsOf } from '../announcements.ts'
import { type Layer2State, noLayer2 } from '../layer2/messages.ts'
import { Planner } from '../plan/planner.ts'
import { type Written, worldOf } from '../plan/testing.ts'
import { Statuses } from './statuses.ts'

const namespace = 'metallb-system'
const ip = '192.0.2.1'
const peer = { myASN: 1, peerASN: 1, peerAddress: '198.51.100.1' }
const endpoints = [{ ready: true, serving: true, terminating: false, nodeName: 'n1' }]
const objects: readonly Written[] = [
  { kind: 'Node', metadata: { name: 'n1' } },
  { kind: 'Node', metadata: { name: 'n2' } },
  { kind: 'IPAddressPool', metadata: { name: 'pool' }, spec: { addresses: ['192.0.2.0/24'] } },
  { kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: { interfaces: ['eth0'] } },
  { kind: 'BGPAdvertisement', metadata: { name: 'bgp' } },
  { kind: 'BGPPeer', metadata: { name: 'tor' }, spec: peer },
  { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip }] } },
  { kind: 'EndpointSlice', metadata: { name: 'web-1' }, spec: { serviceName: 'web', endpoints } },
]

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  const running: Statuses[] = []

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    const crds = metallbResources.map((resource) => crdManifest(resource))
    const items = [...crds, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]
    await server.apply(...items)
  }, 90_000)
  afterAll(async () => {
    await Promise.all(running.map((statuses) => statuses.stop()))
    cluster?.close()
    await server?.stop()
  })

  async function speaker(node: string): Promise<Statuses> {
    const owner = (kind: string, name: string) => ({ apiVersion: 'v1', kind, name, uid: `uid-${name}` })
    const statuses = new Statuses({
      cluster,
      logger: silentLogger(),
      namespace,
      node,
      owner: () => Promise.resolve(owner('DaemonSet', 'speaker')),
      nodeOwner: () => owner('Node', node),
      onError: () => {},
    })
    running.push(statuses)
    await statuses.start()
    return statuses
  }
  /** As the node sees it, with n1 as the coordinator. */
  function show(statuses: Statuses, node: string, owner: string, without = ''): void {
    const world = worldOf(
      node,
      objects.filter(({ kind }) => kind !== without),
    )
    const announced = new Map(owner === node ? [[ip, ['eth0']]] : [])
    const owners = new Map([[ip, owner]])
    const others = ['n1', 'n2'].filter((each) => each !== node)
    const members = others.map((each) => ({ node: each, state: 'serving' as const, heardMs: 1 }))
    const state: Layer2State = { ...noLayer2, serving: true, coordinator: 'n1', owners, announced, members }
    const known = { knowsService: () => true, knowsNode: () => true }
    statuses.report(announcementsOf(new Planner().plan(world), state, node), state, known)
  }
  /** The columns behind name and, where there is one, before the age. */
  const table = (kind: string) => async () =>
    (await server.run(['get', kind, '-n', namespace, '--no-headers']))
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim().split(/\s+/).slice(1).join(' '))
      .toSorted()
  const patient = { interval: 100 }

  it('says who announces, and no longer says it of who does not', async () => {
    // Of an earlier try.
    await Promise.all(running.splice(0).map((statuses) => statuses.stop()))
    const [one, two] = [await speaker('n1'), await speaker('n2')]
    show(one, 'n1', 'n1')
    show(two, 'n2', 'n1')
    await expect.poll(table('servicel2status'), patient).toEqual(['n1 web default'])
    await expect.poll(table('servicebgpstatus'), patient).toEqual(['n1 web default', 'n2 web default'])
    show(two, 'n2', 'n2')
    show(one, 'n1', 'n2')
    await expect.poll(table('servicel2status'), patient).toEqual(['n2 web default'])
    const found = JSON.parse(await server.run(['get', 'servicel2status', '-n', namespace, '-o', 'json']))
    expect(found.items[0]).toMatchObject({
      metadata: { name: expect.stringMatching(/^l2-/), labels: { 'metallb.io/node': 'n2' } },
      status: { node: 'n2', interfaces: [{ name: 'eth0' }] },
    })
  })

  it('takes away what a dead owner said', async () => {
    const dead = await speaker('n9')
    show(dead, 'n9', 'n9')
    await expect.poll(table('servicel2status'), patient).toEqual(['n2 web default', 'n9 web default'])
    await dead.stop()
    const [one, two] = running
    if (one === undefined || two === undefined) throw new Error('no speakers')
    show(two, 'n2', 'n1')
    show(one, 'n1', 'n1')
    await expect.poll(table('servicel2status'), patient).toEqual(['n1 web default'])
    await server.run(['delete', 'servicebgpstatus', '-n', namespace, '-l', 'metallb.io/node=n9'])
  })

  it('says once in the cluster why nobody does', async () => {
    for (const [i, node] of ['n1', 'n2'].entries()) {
      const statuses = running[i]
      if (statuses !== undefined) show(statuses, node, '', 'EndpointSlice')
    }
    await expect.poll(table('servicel2status'), patient).toEqual(['web default noEndpoints'])
    await expect.poll(table('servicebgpstatus'), patient).toEqual(['web default noEndpoints'])
  })

  it("tells each session's state, and takes away that of a peer that is gone", async () => {
    const [one, two] = running
    const session = {
      name: 'tor',
      state: 'established',
      address: '192.0.2.1:179',
      vrf: undefined,
      passive: false,
      lastEnding: undefined,
      held: false,
      since: Date.now(),
      announced: 1,
      pending: 0,
      unsent: [],
      fastBfd: undefined,
      bfd: { state: 'up', obstacle: undefined },
    } as const
    const lastEnding = { reason: 'connectFailed', message: 'connect ECONNREFUSED 192.0.2.1:179' }
    one?.sessions([session])
    two?.sessions([{ ...session, state: 'connect', lastEnding, bfd: undefined }])
    const sessions = async () => (await table('bgpsessionstatus')()).map((line) => line.replace(/ \d+s/, ''))
    await expect.poll(sessions, patient).toEqual(['n1 tor Established up', 'n2 tor Down connectFailed'])
    const wide = await server.run(['get', 'bgpsessionstatus', '-n', namespace, '-o', 'wide'])
    expect(wide).toContain('connect ECONNREFUSED 192.0.2.1:179')
    two?.sessions([])
    await expect.poll(sessions, patient).toEqual(['n1 tor Established up'])
  })

  it('judges the configuration, writes on change only, and anew when it was deleted', async () => {
    const [one] = running
    const clean = { refusals: [], warnings: [], source: 'objects', both: false, configMap: '' } as const
    const about = { kind: 'BGPPeer', namespace, name: 'tor', field: 'spec.peerAddress' }
    const refusal = { ...about, reason: 'InvalidAddress', message: 'it is no address' } as const
    one?.judge(clean)
    await expect.poll(table('configurationstate'), patient).toEqual([expect.stringMatching(/^Valid \d+s$/)])
    const get = async () =>
      JSON.parse(await server.run(['get', 'configurationstate', 'speaker-n1', '-n', namespace, '-o', 'json']))
    const before = await get()
    expect(before.metadata).toMatchObject({
      labels: { 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': 'n1' },
      ownerReferences: [{ kind: 'Node', name: 'n1' }],
    })
    expect(before.status.conditions).toMatchObject([
      { type: 'configReconcilerValid', status: 'True', reason: 'Reconciled' },
    ])
    one?.judge({ ...clean })
    one?.judge({ ...clean, refusals: [refusal] })
    await expect
      .poll(table('configurationstate'), patient)
      .toEqual([expect.stringMatching(/^Invalid it is no address \d+s$/)])
    one?.judge(clean)
    await expect.poll(table('configurationstate'), patient).toEqual([expect.stringMatching(/^Valid \d+s$/)])
    await server.run(['delete', 'configurationstate', 'speaker-n1', '-n', namespace])
    await expect.poll(table('configurationstate'), patient).toEqual([expect.stringMatching(/^Valid \d+s$/)])
  })
})
