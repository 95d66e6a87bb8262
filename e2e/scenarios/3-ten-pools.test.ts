/** Bad objects beside ten good pools: the ten work, an eleventh comes to work, and all do after a restart of everything. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubernetesObject, Manifest } from '../lab/index.ts'
import { echo, namespaceObject, scenarioLab, urlOf } from './site.ts'

const lab = scenarioLab()
const namespace = 'ten'
const system = 'metallb-system'
const names = Array.from({ length: 11 }, (_, index) => `ten-${index}`)
const addressOf = (name: string) => `192.168.77.${130 + names.indexOf(name)}`
const ten = names.slice(0, 10)

interface ServiceObject extends KubernetesObject {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

interface StateObject extends KubernetesObject {
  readonly status?: { readonly result?: string; readonly errorSummary?: string }
}

function object(kind: string, name: string, spec: object): Manifest {
  const apiVersion = kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1'
  return { apiVersion, kind, metadata: { namespace: system, name }, spec }
}

function pool(name: string): Manifest {
  return object('IPAddressPool', name, { addresses: [`${addressOf(name)}/32`], autoAssign: false })
}

function service(name: string): Manifest {
  const annotations = { 'metallb.io/address-pool': name }
  const ports = [{ port: 80, targetPort: 8080 }]
  const spec = { type: 'LoadBalancer', selector: { app: 'tea' }, ports }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, annotations }, spec }
}

const announced = object('L2Advertisement', 'ten', { ipAddressPools: names })
const bad: readonly Manifest[] = [
  object('IPAddressPool', 'ten-bad', { addresses: [`${addressOf('ten-0')}-${addressOf('ten-9')}`] }),
  object('L2Advertisement', 'ten-bad', { ipAddressPools: ['ten-0', 'ten-0'] }),
  object('BGPAdvertisement', 'ten-bad', { ipAddressPools: ['ten-0'], communities: ['nobody'] }),
  object('BGPPeer', 'ten-bad', { myASN: 64512, peerASN: 64513, peerAddress: 'fe80::1' }),
]
const refused = bad.map(({ kind }) => `${String(kind)} ${system}/ten-bad: `)

describe('bad objects beside ten pools', () => {
  beforeAll(async () => {
    await lab.apply([namespaceObject(namespace), ...echo(namespace, 'tea', { replicas: 2 })])
    await lab.apply([...ten.map(pool), announced, ...ten.map(service)])
    await working(ten)
  })

  afterAll(async () => {
    await lab.kubectl(['delete', 'namespace', namespace])
    await lab.delete([...bad, announced, ...names.map(pool)])
  })

  /** Those of the Services that have the address of their pool, at which the LAN is answered. */
  async function working(wanted: readonly string[]): Promise<readonly string[]> {
    const answering: string[] = []
    for (const name of wanted) {
      await lab.waitFor(`the address of Service ${name}`, async () => {
        const seen = await lab.get<ServiceObject>('service', name, namespace)
        return seen?.status?.loadBalancer?.ingress?.[0]?.ip === addressOf(name)
      })
      const url = urlOf(addressOf(name))
      const answer = await lab.waitFor(`${url} to answer`, () => lab.client.curl(url))
      if (answer.status === 200) answering.push(name)
    }
    return answering
  }

  async function untilRefused(): Promise<void> {
    await lab.waitFor('the refusals in the state of the controller', async () => {
      const seen = await lab.get<StateObject>('configurationstate', 'controller', system)
      const summary = seen?.status?.errorSummary ?? ''
      return seen?.status?.result === 'Invalid' && refused.every((start) => summary.includes(start))
    })
  }

  it('leave the ten working', async () => {
    await lab.apply(bad)
    await untilRefused()
    expect(await working(ten)).toEqual(ten)
  })

  it('do not keep an eleventh from working', async () => {
    await lab.apply([pool('ten-10'), service('ten-10')])
    expect(await working(names)).toEqual(names)
  })

  it('leave all working after a restart of everything', async () => {
    await lab.kubectl(['delete', 'pods', '--all', '-n', system])
    await lab.kubectl([
      'rollout',
      'status',
      'deployment/controller',
      'daemonset/speaker',
      '-n',
      system,
      '--timeout=90s',
    ])
    expect(await working(names)).toEqual(names)
    await untilRefused()
  })
})
