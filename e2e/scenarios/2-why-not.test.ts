/** Whether an address is announced, from where, or why not: what `kubectl` shows of each Service. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubernetesObject, Manifest } from '../lab/index.ts'
import { echo, eventsOf, namespaceObject, scenarioLab } from './site.ts'

const lab = scenarioLab()
const namespace = 'why'
const system = 'metallb-system'
const excluded = 'node.kubernetes.io/exclude-from-external-load-balancers'
const outOfService = 'node.kubernetes.io/out-of-service'

interface ServiceObject extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
    }[]
  }
}

function object(kind: string, name: string, spec: object): Manifest {
  return { apiVersion: 'metallb.io/v1beta1', kind, metadata: { namespace: system, name }, spec }
}

function pool(name: string, range: string): Manifest {
  return object('IPAddressPool', name, { addresses: [range], autoAssign: false })
}

function service(name: string, from: string, spec: object = {}): Manifest {
  const annotations = { 'metallb.io/address-pool': from }
  const ports = [{ port: 80, targetPort: 8080 }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations },
    spec: { type: 'LoadBalancer', selector: { app: 'tea' }, ports, ...spec },
  }
}

const pools = [
  pool('why-good', '192.168.77.160-192.168.77.163'),
  pool('why-mute', '192.168.77.164/32'),
  pool('why-third', '192.168.77.166-192.168.77.167'),
  pool('why-eth9', '192.168.77.165/32'),
]
const advertisements = [
  object('L2Advertisement', 'why-good', { ipAddressPools: ['why-good'] }),
  object('L2Advertisement', 'why-third', {
    ipAddressPools: ['why-third'],
    nodeSelectors: [{ matchLabels: { why: 'third' } }],
  }),
  object('L2Advertisement', 'why-eth9', { ipAddressPools: ['why-eth9'], interfaces: ['eth9'] }),
]

describe('announced, and why not', () => {
  /** A node that has no endpoint. */
  let third = ''

  beforeAll(async () => {
    await lab.apply([namespaceObject(namespace), ...echo(namespace, 'tea', { replicas: 1 })])
    const node = await lab.waitFor('the pod to be placed', async () => {
      const [pod] = await lab.list<PodObject>('pods', { namespace, selector: 'app=tea' })
      return pod?.spec.nodeName
    })
    third = lab.nodes.find(({ name }) => name !== node)?.name ?? ''
    await lab.kubectl(['label', 'node', third, 'why=third'])
    await lab.apply([...pools, ...advertisements])
    await lab.apply([
      service('spoken', 'why-good'),
      service('empty', 'why-good', { selector: { app: 'nobody' } }),
      service('mute', 'why-mute'),
      service('third', 'why-third'),
      service('local', 'why-third', { externalTrafficPolicy: 'Local' }),
      service('eth9', 'why-eth9'),
    ])
  })

  afterAll(async () => {
    await lab.kubectl(['label', 'node', third, 'why-', `${excluded}-`])
    await lab.kubectl(['delete', 'namespace', namespace])
    await lab.delete([...advertisements, ...pools])
  })

  const says = (name: string) => async () => {
    const seen = await lab.get<ServiceObject>('service', name, namespace)
    const found = seen?.status?.conditions?.find(({ type }) => type === 'metallb.io/Announced')
    return found === undefined ? '' : `${found.status} ${found.reason}: ${found.message}`
  }
  const patient = { timeout: 60_000, interval: 200 }

  /** Node and reason of what `kubectl get servicel2status` shows of the Service. */
  async function reported(name: string): Promise<string> {
    const selector = `metallb.io/service-name=${name},metallb.io/service-namespace=${namespace}`
    const columns = 'NODE:.status.node,REASON:.status.reason'
    const args = ['-n', system, '-l', selector, '--no-headers', '-o', `custom-columns=${columns}`]
    return (await lab.kubectl(['get', 'servicel2status', ...args])).trim().replaceAll(/ +/g, ' ')
  }

  it('names the node that announces, once it does', async () => {
    await expect.poll(says('spoken'), patient).toMatch(/^True Announced: by layer 2 from node \S+$/)
    const wait = '--for=condition=metallb.io/Announced=True'
    expect(await lab.kubectl(['wait', wait, 'service/spoken', '-n', namespace])).toContain('condition met')
    const [node, reason] = (await reported('spoken')).split(' ')
    expect([node, reason]).toEqual([expect.stringMatching(/^\S+$/), '<none>'])
    const told = async () =>
      (await eventsOf(lab, 'Service', namespace, 'spoken')).flatMap(({ reason: is, message }) =>
        is === 'nodeAssigned' ? [message] : [],
      )
    const text = `announcing from node "${node}" with protocol "layer2"`
    await expect.poll(told, patient).toEqual([text])
    expect(await lab.kubectl(['describe', 'service', 'spoken', '-n', namespace])).toContain(text)
  })

  it.each([
    ['empty', 'False noEndpoints: no endpoint is ready or serving'],
    [
      'mute',
      'False noMatchingAdvertisement: no L2Advertisement and no BGPAdvertisement of pool why-mute selects the Service',
    ],
  ])('says why not: %s', async (name, said) => {
    await expect.poll(says(name), patient).toBe(said)
    expect(await reported(name)).toBe(`<none> ${said.split(' ')[1]?.replace(':', '')}`)
    const shown = () => lab.kubectl(['describe', 'service', name, '-n', namespace])
    const why = said.replace(/^.*?: /, '')
    await expect.poll(shown, patient).toMatch(new RegExp(`Warning +notAnnounced .* ${why}\n`))
  })

  it('says that no node that may announce it has an endpoint', async () => {
    await expect
      .poll(says('local'), patient)
      .toBe(`False noLocalEndpoints: no endpoint on node ${third} is ready or serving`)
    await expect.poll(says('third'), patient).toBe(`True Announced: by layer 2 from node ${third}`)
  })

  it.each([
    {
      reason: 'nodeLabeledExcludeBalancers',
      why: (node: string) => `excluded from load balancers by label: node ${node}`,
      begin: () => lab.kubectl(['label', 'node', third, `${excluded}=`]),
      end: () => lab.kubectl(['label', 'node', third, `${excluded}-`]),
    },
    {
      reason: 'nodeOutOfService',
      why: (node: string) => `tainted as out of service: node ${node}`,
      begin: () => lab.kubectl(['taint', 'node', third, `${outOfService}=nodeshutdown:NoSchedule`]),
      end: () => lab.kubectl(['taint', 'node', third, `${outOfService}-`]),
    },
    {
      reason: 'nodeNetworkUnavailable',
      why: (node: string) => `the network of node ${node} is not available`,
      begin: () => setNetworkUnavailable('True'),
      end: () => setNetworkUnavailable('False'),
    },
  ])(
    'says $reason for as long as every node that may announce it is',
    async ({ reason, why, begin, end }) => {
      await begin()
      try {
        await expect.poll(says('third'), patient).toBe(`False ${reason}: ${why(third)}`)
        await expect.poll(says('local'), patient).toBe(`False ${reason}: ${why(third)}`)
        expect(await reported('third')).toBe(`<none> ${reason}`)
      } finally {
        await end()
      }
      await expect.poll(says('third'), patient).toBe(`True Announced: by layer 2 from node ${third}`)
    },
  )

  async function setNetworkUnavailable(status: 'True' | 'False'): Promise<void> {
    const conditions = [{ type: 'NetworkUnavailable', status }]
    const patch = JSON.stringify({ status: { conditions } })
    await lab.kubectl(['patch', 'node', third, '--subresource=status', '--type=strategic', '-p', patch])
  }

  it('says that the owner has no interface to announce on', async () => {
    await expect
      .poll(says('eth9'), patient)
      .toMatch(
        /^False announceFailed: none of the interfaces eth9 of node "\S+" can announce with protocol "layer2"$/,
      )
    // Of this owner: where the excluded node was one before, there is an Event of it, too.
    const why = (await says('eth9')()).replace('False announceFailed: ', '')
    const told = async () =>
      (await eventsOf(lab, 'Service', namespace, 'eth9')).filter(
        ({ reason, message }) => reason === 'announceFailed' && message === why,
      )
    await expect.poll(told, patient).toHaveLength(1)
  })

  it('says of each speaker whether what concerns its node is good', async () => {
    const bad = object('BGPPeer', 'why-bad', {
      myASN: 64512,
      peerASN: 64513,
      peerAddress: 'fe80::1',
      nodeSelectors: [{ matchLabels: { why: 'third' } }],
    })
    const peer = { ...bad, apiVersion: 'metallb.io/v1beta2' }
    const results = async () => {
      const states = lab.nodes.map(({ name }) =>
        lab.get<StateObject>('configurationstate', `speaker-${name}`, system),
      )
      return (await Promise.all(states)).map((state) => {
        const labels = state?.metadata.labels ?? {}
        return `${labels['metallb.io/component-type']} ${labels['metallb.io/node-name']} ${state?.status?.result}`
      })
    }
    const expected = (there: string) =>
      lab.nodes.map(({ name }) => `speaker ${name} ${name === third ? there : 'Valid'}`)
    await expect.poll(results, patient).toEqual(expected('Valid'))
    await lab.apply([peer])
    await expect.poll(results, patient).toEqual(expected('Invalid'))
    await lab.delete([peer])
    await expect.poll(results, patient).toEqual(expected('Valid'))
  })

  it('has nothing left to say when the Services are gone', async () => {
    await lab.kubectl(['delete', 'service', '--all', '-n', namespace])
    const left = async () =>
      (
        await lab.kubectl([
          'get',
          'servicel2status',
          '-n',
          system,
          '-o',
          'name',
          '-l',
          `metallb.io/service-namespace=${namespace}`,
        ])
      ).trim()
    await expect.poll(left, { timeout: 60_000, interval: 500 }).toBe('')
  })
})

interface PodObject extends KubernetesObject {
  readonly spec: { readonly nodeName?: string }
}

interface StateObject extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly labels?: Readonly<Record<string, string>> }
  readonly status?: { readonly result?: string }
}
