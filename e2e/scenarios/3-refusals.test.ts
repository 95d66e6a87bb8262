/** What is wrong is refused by name, object and field; everything else keeps serving, under load all the while. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubernetesObject, Manifest } from '../lab/index.ts'
import { type RunningLoad, startLoad } from '../load/load.ts'
import { makeAuthority } from './certificate.ts'
import {
  echo,
  envoyAddresses,
  eventsOf,
  namespaceObject,
  type ProxyObject,
  proxy,
  proxyErrors,
  scenarioLab,
  urlOf,
} from './site.ts'

const lab = scenarioLab()
const namespace = 'refused'
const system = 'metallb-system'
const steady = 'steady.example.com'
const pools: readonly Manifest[] = [
  pool('overlapping', system, ['192.168.77.240-192.168.77.245']),
  pool('bad', system, ['192.168.77.100/32', '192.168.300.0/24']),
  pool('elsewhere', namespace, ['192.168.77.110/32']),
  pool('single', system, ['192.168.77.120/32'], { autoAssign: false }),
]

interface Status {
  readonly status?: {
    readonly errorSummary?: string
    readonly result?: string
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
    }[]
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] }
  }
}

describe('refusals', () => {
  let address = ''
  let load: RunningLoad

  beforeAll(async () => {
    address = (await envoyAddresses(lab)).ipv4
    await lab.apply([
      namespaceObject(namespace),
      ...echo(namespace, 'tea', { replicas: 2 }),
      ...echo(namespace, 'coffee'),
      proxy(namespace, 'steady', host(steady, route('tea'))),
    ])
    await answers(steady, 200)
    load = startLoad(lab.client, { address, host: steady, perSecond: 20, timeoutMs: 2000, lateMs: 500 })
  })

  afterAll(async () => {
    await load?.stop()
    await lab.delete(pools)
    await lab.kubectl(['delete', 'namespace', namespace])
  })

  it('refuses pools: the younger of two that overlap, a bad CIDR, one in another namespace', async () => {
    await lab.apply(pools)
    const refused = [
      ['overlapping', system, 'OverlappingPool', 'spec.addresses[0]', 'the older pool default'],
      ['bad', system, 'InvalidAddress', 'spec.addresses[1]', '"192.168.300.0/24"'],
      ['elsewhere', namespace, 'WrongNamespace', 'metadata.namespace', system],
    ] as const
    for (const [name, where, reason, field, detail] of refused) {
      const valid = await condition('ipaddresspool', name, where, 'Valid')
      expect(valid).toMatchObject({ status: 'False', reason })
      expect(valid.message).toContain(`IPAddressPool ${where}/${name}: ${field}: `)
      expect(valid.message).toContain(detail)
    }
    for (const name of ['default', 'single']) {
      expect(await condition('ipaddresspool', name, system, 'Valid')).toMatchObject({ status: 'True' })
    }
    const state = await lab.waitFor('ConfigurationState controller with three refusals', async () => {
      const seen = await lab.get<KubernetesObject & Status>('configurationstate', 'controller', system)
      return seen?.status?.errorSummary?.split('\n').length === 3 && seen.status
    })
    expect(state.result).toBe('Invalid')
    for (const [name, where] of refused)
      expect(state.errorSummary).toContain(`IPAddressPool ${where}/${name}`)
  })

  it('says in an Event why a Service has no address', async () => {
    const service = {
      type: 'LoadBalancer',
      ipFamilyPolicy: 'SingleStack',
      selector: { app: 'tea' },
      ports: [{ port: 80, targetPort: 8080 }],
    }
    const asking = (name: string): Manifest => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace, annotations: { 'metallb.io/address-pool': 'single' } },
      spec: service,
    })
    await lab.apply([asking('first')])
    const first = await lab.waitFor('an address of Service first', async () => {
      const seen = await lab.get<KubernetesObject & Status>('service', 'first', namespace)
      return seen?.status?.loadBalancer?.ingress
    })
    expect(first).toMatchObject([{ ip: '192.168.77.120' }])
    await lab.apply([asking('second')])
    const failed = await lab.waitFor('the Event AllocationFailed of Service second', async () =>
      (await eventsOf(lab, 'Service', namespace, 'second')).find(
        ({ reason }) => reason === 'AllocationFailed',
      ),
    )
    expect(failed.message).toMatch(/^NoFreeAddress: .*\bsingle\b/)
    const second = await lab.get<KubernetesObject & Status>('service', 'second', namespace)
    expect(second?.status?.loadBalancer).toEqual({})
  })

  const invalid: readonly (readonly [name: string, spec: object, reason: string, says: string])[] = [
    [
      'two-paths',
      host('two-paths', { ...route('tea'), conditions: [{ prefix: '/a' }, { prefix: '/b' }] }),
      'PathMatchConditionsNotValid',
      'spec.routes[0].conditions: more than one path condition',
    ],
    [
      'never-verified',
      {
        ...host('never-verified', route('tea')),
        virtualhost: {
          fqdn: 'never-verified',
          jwtProviders: [{ name: 'one', remoteJWKS: { uri: 'http://keys.refused.svc/keys' } }],
        },
      },
      'JWTVerificationNotPermitted',
      'spec.virtualhost.jwtProviders: only a host that ends TLS',
    ],
    [
      'no-key',
      { ...host('no-key', route('tea')), virtualhost: { fqdn: 'no-key', tls: { secretName: 'no-key' } } },
      'SecretNotValid',
      `spec.virtualhost.tls.secretName "no-key" is invalid: Secret "${namespace}/no-key": key "tls.key" is missing`,
    ],
    [
      'no-service',
      host('no-service', route('gone')),
      'ServiceUnresolvedReference',
      `spec.routes[0].services[0]: service "${namespace}/gone" not found`,
    ],
  ]

  it.each(invalid)('makes an HTTPProxy invalid: %s', async (name, spec, reason, says) => {
    await lab.apply([...(await secretsOf(name)), proxy(namespace, name, spec)])
    // Secret and HTTPProxy come by watches of their own: at first it may lack the whole Secret.
    const errors = async () => {
      const seen = await lab.get<ProxyObject>('httpproxy', name, namespace)
      return seen?.status?.currentStatus === 'invalid' && proxyErrors(seen)
    }
    await expect.poll(errors).toMatchObject([{ reason, message: expect.stringContaining(says) }])
  })

  it('answers 503 where the Service is missing, and 200 once it is there', async () => {
    const without = await answers('no-service', 503)
    expect(without.body).not.toContain('Name:')
    await lab.apply(echo(namespace, 'gone'))
    expect((await answers('no-service', 200)).body).toContain('Name: gone')
  })

  it('gives a host to the older HTTPProxy, and to the younger once that is gone', async () => {
    await lab.apply([proxy(namespace, 'older', host('twice', route('tea')))])
    const tea = await answers('twice', 200)
    expect(tea.body).toContain('Name: tea')
    const before = Date.now() // ages have whole seconds
    await lab.waitFor('another second', () => Date.now() - before > 1100)
    await lab.apply([proxy(namespace, 'younger', host('twice', route('coffee')))])
    const errors = await lab.waitFor('the younger to be invalid', async () => {
      const seen = await lab.get<ProxyObject>('httpproxy', 'younger', namespace)
      return seen?.status?.currentStatus === 'invalid' && proxyErrors(seen)
    })
    expect(errors).toMatchObject([{ type: 'VirtualHostError', reason: 'DuplicateVhost' }])
    expect(errors[0]?.message).toBe(
      `spec.virtualhost.fqdn: "twice" is used by the older HTTPProxy "${namespace}/older"`,
    )
    expect((await answers('twice', 200)).body).toContain('Name: tea')
    await lab.kubectl(['delete', 'httpproxy', 'older', '-n', namespace])
    await lab.waitFor('the younger to serve', async () =>
      (await lab.client.curl(urlOf(address), { host: 'twice' })).body.includes('Name: coffee'),
    )
    const younger = await lab.waitFor('the younger to be valid', async () => {
      const seen = await lab.get<ProxyObject>('httpproxy', 'younger', namespace)
      return seen?.status?.currentStatus === 'valid' && seen
    })
    expect(proxyErrors(younger)).toEqual([])
  })

  it('forgets what was refused once it is gone', async () => {
    await lab.delete(pools.slice(0, 3))
    const state = await lab.waitFor('ConfigurationState controller to be valid', async () => {
      const seen = await lab.get<KubernetesObject & Status>('configurationstate', 'controller', system)
      return seen?.status?.result === 'Valid' && seen.status
    })
    expect(state.errorSummary ?? '').toBe('')
  })

  it('lost no request of a host that was there before, and no address', async () => {
    const { sent, lost } = await load.stop()
    expect(sent).toBeGreaterThan(50)
    expect(lost).toEqual([])
    expect((await envoyAddresses(lab)).ipv4).toBe(address)
  })

  function answers(name: string, status: number) {
    return lab.waitFor(`${name} to answer ${status}`, async () => {
      const answer = await lab.client.curl(urlOf(address), { host: name, timeoutMs: 2000 })
      return answer.status === status && answer
    })
  }
})

async function condition(kind: string, name: string, namespace: string, type: string) {
  return await lab.waitFor(`condition ${type} of ${kind} ${namespace}/${name}`, async () => {
    const object = await lab.get<KubernetesObject & Status>(kind, name, namespace)
    return object?.status?.conditions?.find((one) => one.type === type)
  })
}

/** A certificate whose key was forgotten; of type Opaque, for the API server refuses such a TLS Secret itself. */
async function secretsOf(proxyName: string): Promise<readonly Manifest[]> {
  if (proxyName !== 'no-key') return []
  const whole = await (await makeAuthority()).issue(namespace, 'no-key', 'no-key')
  const data = whole['data']
  const certificate = typeof data === 'object' && data !== null && 'tls.crt' in data ? data['tls.crt'] : ''
  return [{ ...whole, type: 'Opaque', data: { 'tls.crt': certificate } }]
}

function pool(name: string, namespace: string, addresses: readonly string[], more: object = {}): Manifest {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name, namespace },
    spec: { addresses, ...more },
  }
}

function host(fqdn: string, ...routes: readonly object[]): object {
  return { virtualhost: { fqdn }, routes }
}

function route(service: string): object {
  return { services: [{ name: service, port: 80 }] }
}
