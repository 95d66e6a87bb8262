/**
 * What the controller says of the configuration on a real API server, as `kubectl get` shows it: refusals on the
 * guilty object and in the ConfigurationState, names of nothing, exact counters, and no write where nothing changed.
 */
import { crdManifest, metallbResources } from '@landfall/api/crd'
import type { Cluster } from '@landfall/kube'
import { awaited, RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { Metrics } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControllerMetrics } from './controller-metrics.ts'
import type { Session } from './session.ts'
import { sessionFor } from './testing.ts'

const namespace = 'metallb-system'

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

interface Seen {
  readonly metadata: { readonly resourceVersion: string; readonly labels?: object }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly result?: string
    readonly sessions?: string
    readonly errorSummary?: string
    readonly availableIPv4?: number
  }
}

/** Of v0.13. */
const addressPools = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'addresspools.metallb.io' },
  spec: {
    group: 'metallb.io',
    names: { kind: 'AddressPool', plural: 'addresspools' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  let session: Session
  const metrics = new Metrics('test')

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    const crds = metallbResources.map((resource) => crdManifest(resource))
    await server.apply(...crds, addressPools, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    })
    await server.apply(pool('good', ['10.0.0.0/24', '2001:db8::/64']), pool('small', ['10.9.0.0/31']))
    session = sessionFor(cluster, {
      metrics: new ControllerMetrics(metrics),
    })
    await session.start()
  }, 90_000)

  afterAll(async () => {
    await session?.stop()
    cluster?.close()
    await server?.stop()
  })

  const kubectl = (...args: readonly string[]) => server.run(args)
  async function get(kind: string, name: string, where = namespace): Promise<Seen> {
    return JSON.parse(await kubectl('get', kind, name, '-n', where, '-o', 'json')) as Seen
  }
  async function until<T>(read: () => Promise<T>, expected: T): Promise<void> {
    expect(await awaited(read, expected)).toEqual(expected)
  }
  function pool(name: string, addresses: readonly string[], where = namespace): object {
    return object('IPAddressPool', name, { addresses }, where)
  }
  function object(kind: string, name: string, spec: object, where = namespace): object {
    const apiVersion = kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1'
    return { apiVersion, kind, metadata: { namespace: where, name }, spec }
  }
  function conditionOf(seen: Seen, type: string): Condition | undefined {
    return seen.status?.conditions?.find((one) => one.type === type)
  }
  const answer = async (kind: string, name: string, where = namespace) => {
    const one = conditionOf(await get(kind, name, where), 'Valid')
    return `${one?.status} ${one?.reason}`
  }
  const state = () => get('configurationstate', 'controller')
  const stale = async () =>
    (await metrics.exposition()).match(/^metallb_k8s_client_config_stale_bool (\d)/m)?.[1]

  it('counts 64 bits exactly, as kubectl prints them', async () => {
    const counters = async () =>
      (await kubectl('get', 'ipaddresspool', 'good', '-n', namespace, '-o', 'yaml'))
        .split('\n')
        .filter((line) => /^ +(assigned|available)IPv/.test(line))
        .map((line) => line.trim())
    const expected = [
      'assignedIPv4: 0',
      'assignedIPv6: 0',
      'availableIPv4: 256',
      'availableIPv6: 9223372036854775807',
    ]
    await until(counters, expected)
    expect(await counters()).toEqual(expected)
  })

  it('says of each bad object that it is refused, on it and in the state; and what was said of others stays', async () => {
    await until(() => answer('ipaddresspool', 'good'), 'True Valid')
    await until(async () => (await state()).status?.result, 'Valid')
    expect(await stale()).toBe('0')
    const before = await Promise.all([get('ipaddresspool', 'good'), state()])
    await server.apply(
      pool('overlapping', ['10.0.0.0/25']),
      pool('good', ['10.5.0.0/24'], 'default'),
      object('L2Advertisement', 'twice', { ipAddressPools: ['good', 'good'] }),
      object('BGPAdvertisement', 'short', { ipAddressPools: ['good'], aggregationLength: 8 }),
      object('BGPPeer', 'local', { myASN: 1, peerASN: 2, peerAddress: 'fe80::1' }),
      object('Community', 'a', { communities: [{ name: 'x', value: '1:1' }] }),
      object('Community', 'b', { communities: [{ name: 'x', value: '1:2' }] }),
      object('BFDProfile', 'elsewhere', {}, 'default'),
    )
    const refused = [
      ['ipaddresspool', 'overlapping', namespace, 'False OverlappingPool'],
      ['ipaddresspool', 'good', 'default', 'False WrongNamespace'],
      ['l2advertisement', 'twice', namespace, 'False DuplicateValue'],
      ['bgpadvertisement', 'short', namespace, 'False AggregationTooShort'],
      ['bgppeer', 'local', namespace, 'False NotSupported'],
      ['bfdprofile', 'elsewhere', 'default', 'False WrongNamespace'],
    ] as const
    for (const [kind, name, where, said] of refused) await until(() => answer(kind, name, where), said)
    const communities = async () =>
      (await Promise.all(['a', 'b'].map((name) => answer('community', name)))).toSorted()
    await until(communities, ['False DuplicateCommunity', 'True Valid'])

    await until(async () => (await state()).status?.errorSummary?.split('\n').length, 7)
    const seen = await state()
    expect(seen.status?.result).toBe('Invalid')
    expect(seen.metadata.labels).toEqual({ 'metallb.io/component-type': 'controller' })
    expect(conditionOf(seen, 'poolReconcilerValid')).toMatchObject({
      status: 'False',
      reason: 'ConfigurationError',
    })
    for (const [kind, name, where] of refused) {
      const valid = conditionOf(await get(kind, name, where), 'Valid')
      expect(valid?.message).toMatch(new RegExp(`^[A-Z]\\w+ ${where}/${name}: (spec|metadata)\\.`))
      expect(seen.status?.errorSummary).toContain(valid?.message)
    }
    expect(await stale()).toBe('1')
    const [good] = before
    expect((await get('ipaddresspool', 'good')).metadata.resourceVersion).toBe(good.metadata.resourceVersion)
  })

  it('gives a pool that is refused no fullness, and counts nothing of it as free', async () => {
    await until(
      async () => conditionOf(await get('ipaddresspool', 'small'), 'NearlyFull')?.reason,
      'EnoughFree',
    )
    await server.apply(pool('small', ['10.9.0.0/31', '10.0.0.0/31']))
    await until(() => answer('ipaddresspool', 'small'), 'False OverlappingPool')
    const said = async () => {
      const seen = await get('ipaddresspool', 'small')
      return [seen.status?.availableIPv4, conditionOf(seen, 'NearlyFull')?.reason]
    }
    await until(said, [0, undefined])
    expect(conditionOf(await get('ipaddresspool', 'good', 'default'), 'NearlyFull')).toBeUndefined()
  })

  it('warns of names of nothing, and takes the warning back', async () => {
    await server.apply(object('L2Advertisement', 'misspelt', { ipAddressPools: ['god', 'good'] }))
    const said = async () => {
      const seen = await get('l2advertisement', 'misspelt')
      return ['Valid', 'ResolvedRefs'].map((type) => conditionOf(seen, type)?.reason)
    }
    await until(said, ['Valid', 'UnknownPool'])
    await until(async () => conditionOf(await state(), 'referencesResolved')?.reason, 'UnknownPool')
    expect(conditionOf(await state(), 'referencesResolved')?.message).toBe(
      `L2Advertisement ${namespace}/misspelt: spec.ipAddressPools[0]: there is no IPAddressPool "god"`,
    )
    await server.apply(pool('god', ['10.8.0.0/24']))
    await until(said, ['Valid', undefined])
    await until(async () => conditionOf(await state(), 'referencesResolved'), undefined)
  })

  it('moves the time of a transition only when the status changes', async () => {
    const first = conditionOf(await state(), 'poolReconcilerValid')
    const valid = conditionOf(await get('ipaddresspool', 'overlapping'), 'Valid')
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await server.apply(pool('overlapping', ['10.0.0.0/25', '10.0.0.128/25']))
    await until(
      async () => conditionOf(await get('ipaddresspool', 'overlapping'), 'Valid')?.message.split('\n').length,
      2,
    )
    await until(async () => (await state()).status?.errorSummary?.match(/overlapping/g)?.length, 2)
    expect(conditionOf(await get('ipaddresspool', 'overlapping'), 'Valid')?.lastTransitionTime).toBe(
      valid?.lastTransitionTime,
    )
    expect(conditionOf(await state(), 'poolReconcilerValid')?.lastTransitionTime).toBe(
      first?.lastTransitionTime,
    )
  })

  it('says that all is well again once the bad ones are gone', async () => {
    const old = conditionOf(await state(), 'poolReconcilerValid')
    await kubectl(
      'delete',
      'ipaddresspools,l2advertisements,bgpadvertisements,bgppeers,communities',
      '--all',
      '-n',
      namespace,
    )
    await kubectl('delete', 'ipaddresspools,bfdprofiles', '--all', '-n', 'default')
    await server.apply(pool('good', ['10.0.0.0/24']))
    await until(
      async () => [(await state()).status?.result, (await state()).status?.errorSummary],
      ['Valid', ''],
    )
    const now = conditionOf(await state(), 'poolReconcilerValid')
    expect(now).toMatchObject({ status: 'True', reason: 'Reconciled', message: '' })
    expect(now?.lastTransitionTime).not.toBe(old?.lastTransitionTime)
    expect(await stale()).toBe('0')
  })

  it('says of a peer how many sessions are up, and why which node has none', async () => {
    const report = (node: string, status: object) => ({
      ...object('BGPSessionStatus', `session-${node}`, {}),
      status: { node, peer: 'tor', ...status },
    })
    await server.apply(object('BGPPeer', 'tor', { myASN: 1, peerASN: 2, peerAddress: '192.0.2.9' }))
    const lastEnding = { reason: 'connectFailed', message: 'connect ECONNREFUSED 192.0.2.9:179' }
    const write = async (...reports: object[]) => {
      await server.apply(...reports)
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: reports })
      await server.run(
        ['apply', '--server-side', '--force-conflicts', '--subresource=status', '-f', '-'],
        list,
      )
    }
    await write(
      report('n1', { bgpStatus: 'Established' }),
      report('n2', { bgpStatus: 'Down', ...lastEnding }),
    )
    const wide = async () => {
      const [line = ''] = (
        await kubectl('get', 'bgppeer', 'tor', '-n', namespace, '-o', 'wide', '--no-headers')
      ).split('\n')
      return line.split(/\s{2,}/).slice(-2)
    }
    const reason = 'n2: connectFailed: connect ECONNREFUSED 192.0.2.9:179'
    await until(wide, ['1/2', reason])
    expect(await kubectl('describe', 'bgppeer', 'tor', '-n', namespace)).toContain(reason)
    await kubectl('delete', 'bgpsessionstatus', '-n', namespace, 'session-n2')
    await until(async () => (await get('bgppeer', 'tor')).status?.sessions, '1/1')
    await until(async () => conditionOf(await get('bgppeer', 'tor'), 'Established')?.reason, 'AllUp')
  })

  const everythingRead = async () => {
    const one = conditionOf(await state(), 'everythingRead')
    return one === undefined ? '' : `${one.status} ${one.reason} ${one.message}`
  }

  it('names the configuration of FRR that is there and not read', async () => {
    const metadata = { namespace, name: 'bgpextras' }
    const data = { extras: 'router bgp 64512\n neighbor 192.0.2.1 ttl-security hops 1\n' }
    await server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
    const instead = 'use the annotation metallb.io/ttl-security of a BGPPeer'
    const said = `False NotRead ConfigMap ${namespace}/bgpextras is not read, as there is no FRR: ${instead}`
    await until(everythingRead, said)
    expect((await state()).status?.result).toBe('Valid')
    await kubectl('delete', 'configmap', '-n', namespace, 'bgpextras')
    await until(everythingRead, '')
  })

  it('names the AddressPools that are there and not read', async () => {
    await server.apply(object('AddressPool', 'old', { protocol: 'layer2', addresses: ['10.7.0.0/24'] }))
    const instead = 'landfall migrate prints the IPAddressPools and advertisements that say the same'
    const said = `False NotRead AddressPool ${namespace}/old: not read; ${instead}`
    await until(everythingRead, said)
    expect((await state()).status?.result).toBe('Valid')
    await kubectl('delete', 'addresspools.metallb.io', '-n', namespace, 'old')
    await until(everythingRead, '')
  })
})
