/** While statuses are written, others change what was decided on: no two Services ever name one address. */
import { crdManifest, metallbResources } from '@landfall/api/crd'
import { Cluster, type RawObject, Reflector, serviceType } from '@landfall/kube'
import { awaited, RealApiServer, recreate, withoutApiServer } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Session } from './session.ts'
import { sessionFor } from './testing.ts'

const namespace = 'metallb-system'

/** The first write of a status of `default/raced` meets a Service that others have just changed. */
class Raced extends Cluster {
  race: (() => Promise<unknown>) | undefined

  override async update(...of: Parameters<Cluster['update']>): Promise<RawObject> {
    const { race } = this
    if (race !== undefined && of[1].metadata.name === 'raced') {
      this.race = undefined
      await race()
    }
    return super.update(...of)
  }
}

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Raced
  let others: Cluster
  let session: Session
  let seen: Reflector<ReturnType<typeof serviceType.project>>
  const doubled: string[] = []

  beforeAll(async () => {
    server = await RealApiServer.start()
    await server.apply(...metallbResources.map((resource) => crdManifest(resource)), {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    })
    const pool = (name: string, address: string, autoAssign: boolean) => ({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { namespace, name },
      spec: { addresses: [address], autoAssign },
    })
    await server.apply(pool('one', '192.0.2.1/32', true), pool('other', '198.51.100.0/24', false))
    others = server.cluster()
    seen = new Reflector({
      cluster: others,
      type: serviceType,
      logger: silentLogger(),
      onChange: () => note(),
    })
    seen.start()
    cluster = new Raced(server.access(), 'landfall-controller/test')
    session = sessionFor(cluster)
    await session.start()
  }, 90_000)

  afterAll(async () => {
    await session?.stop()
    seen?.stop()
    for (const one of [cluster, others]) one?.close()
    await server?.stop()
  })

  function note(): void {
    const named = [...seen.items.values()].flatMap(({ ingress }) => ingress.flatMap(({ ip }) => ip ?? []))
    for (const ip of new Set(named)) if (named.indexOf(ip) !== named.lastIndexOf(ip)) doubled.push(ip)
  }

  const create = (name: string) =>
    recreate(others, serviceType, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
  const askFor = (name: string, pool: string | null) =>
    others.patch(serviceType, `default/${name}`, {
      metadata: { annotations: { 'metallb.io/address-pool': pool } },
    })
  const ip = (name: string) => () => Promise.resolve(seen.get(`default/${name}`)?.ingress[0]?.ip)

  test('what was decided on an older version is not written', async () => {
    cluster.race = () => askFor('raced', 'other')
    await create('raced')
    await create('next')
    expect(await awaited(ip('raced'), '198.51.100.0')).toBe('198.51.100.0')
    expect(await awaited(ip('next'), '192.0.2.1')).toBe('192.0.2.1')
    expect(doubled).toEqual([])
  })

  test('an address goes from one to the other and back, and is never at both', async () => {
    await create('waits')
    for (const [from, to] of [
      ['next', 'waits'],
      ['waits', 'next'],
      ['next', 'waits'],
    ] as const) {
      await askFor(from, 'other')
      expect(await awaited(ip(to), '192.0.2.1')).toBe('192.0.2.1')
      await askFor(from, 'one')
      expect(await awaited(ip(from), undefined)).toBe(undefined)
    }
    expect(doubled).toEqual([])
  })

  test('two that change places lose what they have first', async () => {
    await askFor('waits', 'other')
    await askFor('next', 'other')
    const [first, second] = ['198.51.100.10', '198.51.100.11']
    const want = (name: string, address: string) =>
      others.patch(serviceType, `default/${name}`, {
        metadata: {
          annotations: { 'metallb.io/loadBalancerIPs': address, 'metallb.io/address-pool': null },
        },
      })
    for (const [a, b] of [
      [first, second],
      [second, first],
      [first, second],
    ] as const) {
      await Promise.all([want('waits', a), want('next', b)])
      expect(await awaited(ip('waits'), a)).toBe(a)
      expect(await awaited(ip('next'), b)).toBe(b)
    }
    expect(doubled).toEqual([])
  })
})
