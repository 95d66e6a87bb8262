/**
 * The condition `metallb.io/Announced` on a real API server, from what speakers would report; and how many writes it
 * takes.
 */
import * as api from '@landfall/api'
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { type Cluster, customType, type RawObject, type ResourceType } from '@landfall/kube'
import { RealApiServer, recreate, withoutApiServer } from '@landfall/kube/testing'
import { createLogger } from '@landfall/telemetry'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { balancedServiceType } from '../service-type.ts'
import type { Session } from '../session.ts'
import { sessionFor } from '../testing.ts'

const namespace = 'metallb-system'
const poolType = customType<api.IPAddressPool>(api.ipAddressPool)
const layer2 = customType<api.ServiceL2Status>(api.serviceL2Status)
const bgp = customType<api.ServiceBGPStatus>(api.serviceBGPStatus)

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  let session: Session
  /** What was written, as `default/web Announced`. */
  let written: string[] = []

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    const crds = metallbResources.map((resource) => crdManifest(resource))
    const items = [...crds, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]
    await server.apply(...items)
    await cluster.create(poolType, {
      apiVersion: poolType.apiVersion,
      kind: poolType.kind,
      metadata: { namespace, name: 'pool' },
      spec: { addresses: ['192.0.2.0/24'] },
    })
    session = await open()
  }, 90_000)
  beforeEach(() => {
    written = []
  })
  /** A line is written after the API server's answer: those of the test before may come yet. */
  const writtenOf = (service: string) => written.filter((line) => line.startsWith(`default/${service} `))
  afterAll(async () => {
    await session?.stop()
    cluster?.close()
    await server?.stop()
  })

  async function open(): Promise<Session> {
    const opened = sessionFor(cluster, {
      logger: createLogger({
        write: (line) => {
          const { event, service, announced } = JSON.parse(line) as Record<string, string>
          if (event === 'serviceUpdated') written.push(`${service} ${announced}`)
        },
      }),
    })
    await opened.start()
    return opened
  }
  async function report(type: ResourceType, name: string, service: string, status: object): Promise<void> {
    const labels = { 'metallb.io/service-name': service, 'metallb.io/service-namespace': 'default' }
    const { apiVersion, kind } = type
    const made = await recreate(cluster, type, {
      apiVersion,
      kind,
      metadata: { namespace, name, labels },
      spec: {},
    })
    await cluster.update(type, { ...made, status }, 'status')
  }
  async function described(service: string, type = 'metallb.io/Announced'): Promise<string> {
    const raw = await cluster.get(balancedServiceType, `default/${service}`)
    const { conditions = [] } = raw['status'] as { conditions?: readonly Record<string, string>[] }
    const found = conditions.find((one) => one['type'] === type)
    return found === undefined ? '' : `${found['status']} ${found['reason']} ${found['message']}`
  }
  const says = (service: string) => () => described(service)
  async function ask(name: string, spec: object = {}): Promise<RawObject> {
    // An earlier try of the test may have left some.
    const reports = ['servicel2statuses,servicebgpstatuses', '-l', `metallb.io/service-name=${name}`]
    await server.run(['delete', '-n', namespace, ...reports])
    return recreate(cluster, balancedServiceType, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
    })
  }

  it('says so once the reports are read, for which no address waits', async () => {
    await ask('early')
    await expect.poll(says('early')).toMatch(/^Unknown notReported/)
  })

  it('names the node, in two writes: with the address, and once it is announced', async () => {
    await ask('web')
    await expect.poll(says('web')).toBe('Unknown notReported no speaker has reported on it yet')
    await report(layer2, 'l2-web', 'web', { node: 'n1', serviceName: 'web', serviceNamespace: 'default' })
    await expect.poll(says('web')).toBe('True Announced by layer 2 from node n1')
    await expect.poll(() => writtenOf('web')).toEqual(['default/web notReported', 'default/web Announced'])
    expect(await server.run(['describe', 'service', 'web'])).toContain('192.0.2.1')
  })

  it('names an annotation that does not hold, until it does', async () => {
    const attributes = () => described('web', 'metallb.io/RouteAttributes')
    const problem = 'metallb.io/bgp-med: "high" is no number from 0 to 4294967295'
    await server.run(['annotate', '--overwrite', 'service', 'web', 'metallb.io/bgp-med=high'])
    await expect.poll(attributes).toBe(`False invalidAnnotation ${problem}`)
    expect(await described('web')).toBe('True Announced by layer 2 from node n1')
    const events = () => server.run(['get', 'events', '--field-selector', 'reason=invalidAnnotation'])
    await expect.poll(events).toContain(problem)
    await server.run(['annotate', '--overwrite', 'service', 'web', 'metallb.io/bgp-med=7'])
    await expect.poll(attributes).toBe('')
  })

  it('takes three writes where the pods come late, however many nodes announce it by BGP, one after the other', async () => {
    await report(bgp, 'bgp-0', 'other', { node: 'n1' })
    const { uid } = (await ask('routed')).metadata
    await expect.poll(says('routed')).toMatch(/^Unknown/)
    const none = { reason: 'noEndpoints', message: 'none is ready' }
    await report(layer2, 'l2-none', 'routed', none)
    await report(bgp, 'bgp-none', 'routed', none)
    await new Promise((resolve) => setTimeout(resolve, 3000))
    await Promise.all(
      [layer2, bgp].map((type, i) => cluster.delete(type, `${namespace}/${['l2', 'bgp'][i]}-none`)),
    )
    const peers = ['tor']
    await Promise.all([
      report(layer2, 'l2-routed', 'routed', { node: 'n1' }),
      report(bgp, 'bgp-n3', 'routed', { node: 'n3', peers }),
    ])
    for (const node of ['n1', 'n2']) {
      await report(bgp, `bgp-${node}`, 'routed', { node, peers })
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
    await expect.poll(says('routed')).toBe('True Announced by layer 2 from node n1; by BGP')
    await new Promise((resolve) => setTimeout(resolve, 5000))
    expect(writtenOf('routed')).toEqual(['default/routed notReported', 'default/routed Announced'])
    const columns = '-o=custom-columns=REASON:.reason,COUNT:.count'
    const about = ['--field-selector', `involvedObject.uid=${uid}`]
    const events = () => server.run(['get', 'events', ...about, '--no-headers', columns])
    await expect.poll(events).toMatch(/^IPAllocated +1\n$/)
  })

  it('says why not, and follows when it changes', async () => {
    await ask('lonely')
    await report(layer2, 'l2-why', 'lonely', { reason: 'notOwner', message: 'no node is selected' })
    await expect.poll(says('lonely')).toBe('False notOwner no node is selected')
    const shown = () => server.run(['describe', 'service', 'lonely'])
    await expect.poll(shown).toMatch(/Warning\s+notAnnounced\s.*no node is selected/)
    await cluster.delete(layer2, `${namespace}/l2-why`)
    await report(layer2, 'l2-lonely', 'lonely', { node: 'n2' })
    await expect.poll(says('lonely')).toBe('True Announced by layer 2 from node n2')
  })

  it('a move that is over soon is no loss', async () => {
    let before = 'l2-web'
    for (let tries = 3; ; tries++) {
      written = []
      const started = performance.now()
      await cluster.delete(layer2, `${namespace}/${before}`)
      await report(layer2, `l2-n${tries}`, 'web', { node: `n${tries}` })
      const isSoon = performance.now() - started < 1000
      await expect.poll(says('web')).toBe(`True Announced by layer 2 from node n${tries}`)
      await expect.poll(() => writtenOf('web').at(-1)).toBe('default/web Announced')
      // A machine that is so busy moves again.
      if (isSoon || tries > 9) break
      before = `l2-n${tries}`
    }
    expect(writtenOf('web')).toEqual(['default/web Announced'])
  })

  it('has nothing to announce without an address', async () => {
    await ask('outside', { loadBalancerIP: '203.0.113.1' })
    await expect.poll(says('outside')).toBe('False noIPAllocated there is no address to announce')
  })

  it('takes it back from a Service that wants no load balancer any more', async () => {
    await cluster.patch(balancedServiceType, 'default/lonely', { spec: { type: 'ClusterIP' } })
    await expect.poll(says('lonely')).toBe('')
  })

  it('a controller that starts anew writes nothing', async () => {
    await session.stop()
    written = []
    session = await open()
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(written).toEqual([])
  })
})
