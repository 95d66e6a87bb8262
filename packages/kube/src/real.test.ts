import { isDeepStrictEqual } from 'node:util'
/** Against a real API server: what a fake one cannot prove. */
import { createLogger, silentLogger } from '@landfall/telemetry'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hasStatus } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import { configMapType, secretType, serviceType } from './core-types.ts'
import { EventRecorder } from './event-recorder.ts'
import { LeaderElection } from './leader-election.ts'
import type { KubeObject } from './model/index.ts'
import { Reflector } from './reflector.ts'
import { customType, type RawObject } from './resource.ts'
import { StatusWriter } from './status-writer.ts'
import type { Change } from './store.ts'
import {
  configMapObject,
  gadgetDefinition,
  gadgetObject,
  gadgetType,
  serviceObject,
} from './testing/objects.ts'
import { RealApiServer, withoutApiServer } from './testing/real-api-server.ts'
import { recreate } from './testing/recreate.ts'

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  const ends: (() => unknown)[] = []

  beforeAll(async () => {
    server = await RealApiServer.start({ nobody: 'nobody' })
    cluster = server.cluster()
  }, 90_000)

  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
  })

  afterAll(async () => {
    cluster?.close()
    await server?.stop()
  })

  const until = async (what: string, holds: () => boolean | Promise<boolean>, ms = 30_000) => {
    const end = performance.now() + ms
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`did not come: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  it('streams the list, follows changes and catches up after a crash of the API server', async () => {
    for (const name of ['two', 'three'])
      await cluster.delete(configMapType, `default/${name}`).catch(() => {})
    await recreate(cluster, configMapType, configMapObject('one', { k: 'ä' }))
    const batches: (readonly Change<KubeObject>[])[] = []
    const own = server.cluster()
    const reflector = new Reflector({
      cluster: own,
      type: configMapType,
      namespace: 'default',
      fieldSelector: 'metadata.name!=kube-root-ca.crt',
      logger: silentLogger(),
      onChange: (changes) => batches.push(changes),
    })
    ends.push(
      () => own.close(),
      () => reflector.stop(),
    )
    reflector.start()
    await reflector.synced
    expect([...reflector.items.values()].map(({ data }) => data)).toEqual([{ k: 'ä' }])
    await cluster.create(configMapType, configMapObject('two'))
    await until('the second', () => reflector.items.size === 2)

    await server.killApiServer()
    expect(reflector.items.size).toBe(2)
    await server.startApiServer()
    const fresh = server.cluster()
    ends.push(() => fresh.close())
    await fresh.delete(configMapType, 'default/one')
    await fresh.create(configMapType, configMapObject('three'))
    await until('what changed after the crash', () => reflector.get('default/three') !== undefined)
    expect([...reflector.items.keys()].toSorted()).toEqual(['default/three', 'default/two'])
    const told = batches
      .flat()
      .map(({ key, before, after }) => `${key} ${!before ? '+' : !after ? '-' : '~'}`)
    expect(told).toEqual(['default/one +', 'default/two +', 'default/one -', 'default/three +'])
  })

  it('reads long lists in pages', async () => {
    const names = Array.from({ length: 1100 }, (_, index) => `page-${index}`)
    for (let at = 0; at < names.length; at += 20) {
      await Promise.all(
        names.slice(at, at + 20).map((name) =>
          cluster
            .create(secretType, {
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: { namespace: 'default', name, labels: { page: 'yes' } },
              stringData: { k: name },
            })
            .catch((error: unknown) => {
              // Of an earlier try.
              if (!hasStatus(error, 409)) throw error
            }),
        ),
      )
    }
    const sizes: number[] = []
    const selection = { namespace: 'default', labelSelector: 'page=yes' }
    for await (const page of cluster.pages(secretType, selection, AbortSignal.timeout(30_000))) {
      sizes.push(page.items.length)
      expect(page.items.every(({ metadata }) => isDeepStrictEqual(metadata['managedFields'], []))).toBe(true)
    }
    expect(sizes).toEqual([500, 500, 100])
    for (const paged of [false, true]) {
      const labelSelector = 'page=yes'
      const reflector = new Reflector({
        cluster,
        type: secretType,
        labelSelector,
        logger: silentLogger(),
        paged,
      })
      ends.push(() => reflector.stop())
      reflector.start()
      await reflector.synced
      expect(Buffer.from(reflector.get('default/page-7')?.data['k'] ?? []).toString()).toBe('page-7')
      expect(reflector.items.size).toBe(1100)
    }
  })

  describe('a status writer', () => {
    beforeAll(async () => {
      const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
      await cluster.request({ method: 'POST', path, body: gadgetDefinition })
      await until('the definition', () =>
        cluster.create(gadgetType, gadgetObject('g')).then(
          () => true,
          () => false,
        ),
      )
    })

    it('writes address and annotation of a Service in one PUT, keeps the rest, and does not repeat itself', async () => {
      await recreate(cluster, serviceType, serviceObject('web'))
      const writer = new StatusWriter(cluster, silentLogger())
      const assign = (raw: RawObject): RawObject => ({
        ...raw,
        metadata: { ...raw.metadata, annotations: { ...raw.metadata.annotations, pool: 'p' } },
        status: { ...Object(raw['status']), loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } },
      })
      expect(await writer.write(serviceType, 'default/web', assign)).toBe('written')
      const after = await cluster.get(serviceType, 'default/web')
      expect(after).toMatchObject({
        metadata: { labels: { keep: 'me' }, annotations: { pool: 'p' } },
        spec: { type: 'LoadBalancer', selector: { app: 'web' } },
        status: { loadBalancer: { ingress: [{ ip: '10.0.0.1', ipMode: 'VIP' }] } },
      })
      expect(await writer.write(serviceType, 'default/web', assign)).toBe('unchanged')
      expect(await new StatusWriter(cluster, silentLogger()).write(serviceType, 'default/web', assign)).toBe(
        'unchanged',
      )
      expect((await cluster.get(serviceType, 'default/web')).metadata.resourceVersion).toBe(
        after.metadata.resourceVersion,
      )
    })

    it('sends of a custom resource the status alone, and reads it only when it was not the newest', async () => {
      const gadget = gadgetObject('partial')
      const metadata = { ...gadget.metadata, labels: { keep: 'me' }, annotations: { too: 'yes' } }
      const created = await recreate(cluster, gadgetType, { ...gadget, metadata })
      const conflicts: string[] = []
      const writer = new StatusWriter(cluster, silentLogger(), undefined, (kind) => conflicts.push(kind))
      const { namespace = '', name, resourceVersion = '' } = created.metadata
      const write = (known: string) =>
        writer.write(gadgetType, 'default/partial', (raw) => ({ ...raw, status: { known } }), {
          observed: {
            apiVersion: gadgetType.apiVersion,
            kind: gadgetType.kind,
            metadata: { namespace, name, resourceVersion },
          },
        })
      expect([await write('a'), conflicts]).toEqual(['written', []])
      expect(await cluster.get(gadgetType, 'default/partial')).toMatchObject({
        metadata: { labels: { keep: 'me' }, annotations: { too: 'yes' }, generation: 1 },
        spec: gadget['spec'],
        status: { known: 'a' },
      })
      expect([await write('b'), conflicts]).toEqual(['written', ['Gadget']])
      expect(await cluster.get(gadgetType, 'default/partial')).toMatchObject({
        metadata: { labels: { keep: 'me' } },
        status: { known: 'b' },
      })
    })

    it('gets every writer through a contest for one object', async () => {
      await recreate(cluster, serviceType, serviceObject('busy'))
      const writer = new StatusWriter(cluster, silentLogger())
      const outcomes = await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) =>
          writer.write(serviceType, 'default/busy', (raw) => ({
            ...raw,
            metadata: { ...raw.metadata, annotations: { ...raw.metadata.annotations, [name]: 'set' } },
          })),
        ),
      )
      expect(outcomes).toEqual(['written', 'written', 'written', 'written'])
      expect((await cluster.get(serviceType, 'default/busy')).metadata.annotations).toEqual({
        a: 'set',
        b: 'set',
        c: 'set',
        d: 'set',
      })
    })

    it('remembers what the definition prunes', async () => {
      const lines: string[] = []
      const logger = createLogger({ write: (line) => lines.push(JSON.parse(line)) })
      const writer = new StatusWriter(cluster, logger)
      const mutate = (raw: RawObject): RawObject => ({
        ...raw,
        status: { known: 'a', conditions: [{ type: 'x' }] },
      })
      expect(await writer.write(gadgetType, 'default/g', mutate)).toBe('pruned')
      expect((await cluster.get(gadgetType, 'default/g'))['status']).toEqual({ known: 'a' })
      expect(await writer.write(gadgetType, 'default/g', mutate)).toBe('unchanged')
      expect(lines).toMatchObject([{ event: 'statusPruned', field: 'status.conditions' }])
    })

    it('says what is gone, forbidden or no longer ours to write', async () => {
      const writer = new StatusWriter(cluster, silentLogger())
      const mutate = (raw: RawObject): RawObject => ({ ...raw, status: { known: 'z' } })
      expect(await writer.write(gadgetType, 'default/none', mutate)).toBe('gone')
      expect(await writer.write(gadgetType, 'default/g', mutate, { precondition: () => false })).toBe(
        'refused',
      )
      let asked = 0
      expect(await writer.write(gadgetType, 'default/g', mutate, { precondition: () => asked++ === 0 })).toBe(
        'refused',
      )
      expect(await writer.write(configMapType, 'default/two', (raw) => ({ ...raw, status: { a: 1 } }))).toBe(
        'forbidden',
      )
      const stranger = server.cluster('nobody')
      ends.push(() => stranger.close())
      expect(await new StatusWriter(stranger, silentLogger()).write(gadgetType, 'default/g', mutate)).toBe(
        'forbidden',
      )
    })
  })

  describe('leader election', () => {
    const election = (identity: string, name: string, own: Cluster, story: string[], leaseSeconds = 3) => {
      const one = new LeaderElection({
        cluster: own,
        namespace: 'default',
        name,
        identity,
        logger: createLogger({ write: (line) => void story.push(`${identity} ${JSON.parse(line).event}`) }),
        onStarted: () => {},
        onStopped: () => {},
        leaseSeconds,
        renewSeconds: leaseSeconds - 1,
        retrySeconds: 0.3,
      })
      ends.push(() => one.stop())
      one.start()
      return one
    }

    const leaseType = customType<KubeObject>({
      group: 'coordination.k8s.io',
      version: 'v1',
      kind: 'Lease',
      plural: 'leases',
      namespaced: true,
    })

    it('has one leader, and hands over at once on a clean stop', async () => {
      const story: string[] = []
      await cluster.delete(leaseType, 'default/handover').catch(() => {})
      const a = election('a', 'handover', cluster, story, 60)
      await until('a to lead', () => a.isLeader())
      const b = election('b', 'handover', cluster, story, 60)
      await new Promise((resolve) => setTimeout(resolve, 1000))
      expect([a.isLeader(), b.isLeader()]).toEqual([true, false])
      await a.stop()
      expect(a.isLeader()).toBe(false)
      // Long before the lease ends.
      await until('b to lead', () => b.isLeader())
      expect(story).toEqual(['a becameLeader', 'a lostLeadership', 'b becameLeader'])
      expect((await cluster.get(leaseType, 'default/handover'))['spec']).toMatchObject({
        holderIdentity: 'b',
        leaseTransitions: 1,
        leaseDurationSeconds: 60,
      })
    })

    it('waits the whole lease of a leader that crashed, whatever times stand in it', async () => {
      await recreate(cluster, leaseType, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace: 'default', name: 'crashed' },
        spec: {
          holderIdentity: 'ghost',
          leaseDurationSeconds: 2,
          acquireTime: '2020-01-01T00:00:00.000000Z',
          renewTime: '2020-01-01T00:00:00.000000Z',
          leaseTransitions: 7,
        },
      })
      const started = performance.now()
      const a = election('a', 'crashed', cluster, [])
      await until('a to lead', () => a.isLeader())
      const waited = performance.now() - started
      expect(waited).toBeGreaterThan(1900)
      expect((await cluster.get(leaseType, 'default/crashed'))['spec']).toMatchObject({ leaseTransitions: 8 })
    })

    it('leads no longer than the renew deadline when the API server is gone, and nobody else may lead before', async () => {
      const story: string[] = []
      const own = server.cluster()
      ends.push(() => own.close())
      const a = election('a', 'outage', own, story)
      await until('a to lead', () => a.isLeader())
      await server.killApiServer()
      const killed = performance.now()
      let led = killed
      await until('a to give up', () => {
        const now = performance.now()
        if (!a.isLeader()) return true
        led = now
        return false
      })
      expect(led - killed).toBeLessThan(2100)
      await until('a to say so', () => story.includes('a lostLeadership'))
      await server.startApiServer()
      await until('a to lead again', () => a.isLeader())
      expect(story.filter((line) => !line.includes('leaseFailed'))).toEqual([
        'a becameLeader',
        'a lostLeadership',
        'a becameLeader',
      ])
      expect(story.filter((line) => line.includes('leaseFailed')).length).toBeLessThanOrEqual(2)
    })

    it('runs as the only one without a right to leases, and says so once', async () => {
      const story: string[] = []
      const own = server.cluster('nobody')
      ends.push(() => own.close())
      const a = election('a', 'forbidden', own, story)
      await until('a to lead', () => a.isLeader())
      expect(story).toEqual(['a noRightToLeases', 'a becameLeader'])
    })
  })

  it('records events, and counts a repeated one up', async () => {
    await recreate(cluster, serviceType, serviceObject('told'))
    const raw = await cluster.get(serviceType, 'default/told')
    const component = `landfall-${raw.metadata.uid}`
    const recorder = new EventRecorder({
      cluster,
      component,
      host: 'n1',
      logger: silentLogger(),
    })
    const about = {
      apiVersion: 'v1',
      kind: 'Service',
      namespace: 'default',
      name: 'told',
      uid: raw.metadata.uid ?? '',
    }
    const event = { type: 'Normal', reason: 'IPAllocated', message: 'Assigned 10.0.0.1' } as const
    for (let times = 0; times < 3; times++) recorder.record(about, event)
    recorder.record(about, { ...event, type: 'Warning', reason: 'AllocationFailed' })
    recorder.record({ ...about, apiVersion: 'v1', kind: 'Node', namespace: '', name: 'n1', uid: '' }, event)
    await recorder.flush()
    const list = await cluster.request<{ readonly items: readonly RawObject[] }>({
      method: 'GET',
      path: '/api/v1/events',
      query: { fieldSelector: `source=${component}` },
    })
    const told = list.items.map((item) => [
      item.metadata.namespace,
      item['reason'],
      item['type'],
      item['count'],
    ])
    expect(told.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      ['default', 'AllocationFailed', 'Warning', 1],
      ['default', 'IPAllocated', 'Normal', 1],
      ['default', 'IPAllocated', 'Normal', 3],
    ])
  })
})
