/** A new Service is given its address without being read, and loses nothing of what others wrote into it. */
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { Cluster, pathOf, type RawObject, serviceType } from '@landfall/kube'
import { awaited, RealApiServer, recreate, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Session } from './session.ts'
import { sessionFor } from './testing.ts'

const namespace = 'metallb-system'

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  const asked: string[] = []
  let server: RealApiServer
  let cluster: Cluster
  let session: Session

  beforeAll(async () => {
    server = await RealApiServer.start()
    await server.apply(...metallbResources.map((resource) => crdManifest(resource)), {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    })
    await server.apply({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { namespace, name: 'pool' },
      spec: { addresses: ['192.0.2.0/24'] },
    })
    const onRequest = ({ method, path }: { readonly method: string; readonly path: string }): void =>
      void asked.push(`${method} ${path}`)
    cluster = new Cluster(server.access(), 'landfall-controller/test', () => {}, { onRequest })
    session = sessionFor(cluster)
    await session.start()
  }, 90_000)

  afterAll(async () => {
    await session?.stop()
    cluster?.close()
    await server?.stop()
  })

  test('one write, and the rest is as it was', async () => {
    const theirs = {
      labels: { app: 'web' },
      annotations: { theirs: 'kept' },
      finalizers: ['example.com/theirs'],
    }
    const others = server.cluster()
    const before = await recreate(others, serviceType, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 'web', ...theirs },
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] },
    })
    const read = (): Promise<RawObject> => others.get(serviceType, 'default/web')
    const ip = async () => (await read())['status']
    const status = expect.objectContaining({
      loadBalancer: { ingress: [{ ip: '192.0.2.0', ipMode: 'VIP' }] },
    })
    expect(await awaited(async () => status.asymmetricMatch(await ip()), true)).toBe(true)
    const after = await read()
    expect(after['spec']).toEqual(before['spec'])
    expect(after.metadata).toMatchObject({
      ...theirs,
      annotations: expect.objectContaining(theirs.annotations),
    })
    const managers = (raw: RawObject) => JSON.stringify(raw.metadata['managedFields'])
    expect(managers(after)).toContain(managers(before).slice(1, -1))
    const path = pathOf(serviceType, { namespace: 'default', name: 'web' })
    expect(asked.filter((one) => one.includes(path))[0]).toBe(`PUT ${path}/status`)
    others.close()
  })
})
