/**
 * What the definitions refuse, as `kubectl apply` prints it: the field, and what to write instead. The transcript
 * stands in testdata/schema-refusals.txt.
 */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubernetesObject } from '../lab/index.ts'
import { namespaceObject, scenarioLab } from './site.ts'

const lab = scenarioLab()
const namespace = 'schema'
const definitions = fileURLToPath(new URL('../../manifests/crds/', import.meta.url))

const transcript: string[] = []

/** A kind, what of it is refused, and the spec; two specs: the first is taken, and the second not over it. */
type Row = readonly [kind: string, what: string, ...specs: readonly object[]]

const session = { myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' }
const expression = (more: object) => ({ nodeSelectors: [{ matchExpressions: [{ key: 'rack', ...more }] }] })

const rows: readonly Row[] = [
  ['IPAddressPool', 'no addresses', { addresses: [] }],
  ['IPAddressPool', 'a bare address, and text', { addresses: ['192.0.2.1', 'office', '192.0.2.8/29'] }],
  ['IPAddressPool', 'addresses as one text', { addresses: '192.0.2.0/24' }],
  ['IPAddressPool', 'another word than true or false', { addresses: ['192.0.2.0/24'], autoAssign: 'no' }],
  [
    'IPAddressPool',
    'selectors that cannot match',
    {
      addresses: ['192.0.2.0/24'],
      serviceAllocation: {
        serviceSelectors: [{ matchExpressions: [{ key: 'app', operator: 'In' }] }],
        namespaceSelectors: [{ matchExpressions: [{ operator: 'Exists' }] }],
      },
    },
  ],
  ['L2Advertisement', 'an unknown operator', expression({ operator: 'Is', values: ['a'] })],
  ['L2Advertisement', 'In without values', expression({ operator: 'In' })],
  ['L2Advertisement', 'Exists with values', expression({ operator: 'Exists', values: ['a'] })],
  [
    'L2Advertisement',
    'a weight out of bounds, and none',
    { preferredNodeSelectors: [{ weight: 101, preference: {} }, { preference: {} }, { weight: 1 }] },
  ],
  [
    'BGPAdvertisement',
    'lengths out of bounds',
    { aggregationLength: 33, aggregationLengthV6: 0, localPref: -1 },
  ],
  [
    'BGPAdvertisement',
    'an aggregate of some Services',
    { aggregationLength: 24, serviceSelectors: [{ matchLabels: { app: 'web' } }] },
  ],
  ['BGPPeer', 'no AS number of ours', { peerASN: 64501, peerAddress: '192.0.2.1' }],
  ['BGPPeer', 'AS numbers out of bounds', { ...session, myASN: 0, peerASN: 4294967296, localASN: 0 }],
  ['BGPPeer', 'neither of two', { myASN: 64500 }],
  [
    'BGPPeer',
    'both of two',
    {
      ...session,
      dynamicASN: 'external',
      interface: 'eth0',
      password: 'x',
      passwordSecret: { name: 'key' },
    },
  ],
  ['BGPPeer', 'an unknown dynamicASN', { myASN: 64500, dynamicASN: 'any', peerAddress: '192.0.2.1' }],
  [
    'BGPPeer',
    'names for addresses',
    { ...session, peerAddress: 'router', sourceAddress: 'eth0', routerID: '2001:db8::1' },
  ],
  ['BGPPeer', 'a port out of bounds', { ...session, peerPort: 16385 }],
  [
    'BGPPeer',
    'times out of bounds',
    { ...session, holdTime: '2s', keepaliveTime: '10ms', connectTime: '0s' },
  ],
  [
    'BGPPeer',
    'times that are none',
    { ...session, holdTime: '90', keepaliveTime: 'soon', connectTime: '1.5s' },
  ],
  ['BGPPeer', 'a keepalive time above the hold time', { ...session, holdTime: '9s', keepaliveTime: '10s' }],
  ['BGPPeer', 'several hops to an internal peer', { ...session, peerASN: 64500, ebgpMultiHop: true }],
  ['BGPPeer', 'a password too long', { ...session, password: 'x'.repeat(81) }],
  [
    'BGPPeer',
    'a change of enableGracefulRestart',
    { ...session, enableGracefulRestart: false },
    { ...session, enableGracefulRestart: true },
  ],
  [
    'BFDProfile',
    'times and counts out of bounds',
    { receiveInterval: 9, transmitInterval: 60001, echoInterval: 1, detectMultiplier: 1, minimumTtl: 255 },
  ],
  [
    'Community',
    'aliases without a name or a value',
    { communities: [{ value: '64500:1' }, { name: 'none' }, { name: 'empty', value: '' }] },
  ],
  [
    'Community',
    'values out of bounds',
    {
      communities: [
        { name: 'a', value: '64500:65536' },
        { name: 'b', value: 'large:1:2:4294967296' },
        { name: 'c', value: 'no-export' },
      ],
    },
  ],
]

const who = { node: 'n1', serviceName: 'web', serviceNamespace: 'default' }

/** Kinds that are reports: their status is what is checked. */
const reports: readonly Row[] = [
  ['ServiceL2Status', 'another node', who, { ...who, node: 'n2' }],
  ['ServiceL2Status', 'another Service', who, { ...who, serviceName: 'mail', serviceNamespace: 'other' }],
  ['ServiceBGPStatus', 'another node', who, { ...who, node: 'n2' }],
  ['ServiceBGPStatus', 'another Service', who, { ...who, serviceName: 'mail', serviceNamespace: 'other' }],
  ['ConfigurationState', 'an unknown result', { result: 'Good' }],
]

function objectOf(kind: string, name: string, more: object): string {
  const apiVersion = kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1'
  return JSON.stringify({ apiVersion, kind, metadata: { namespace, name }, ...more })
}

/** What kubectl says of the object, which must not be taken. */
async function refusal(args: readonly string[], object: string): Promise<string> {
  const { code, stdout, stderr } = await lab.tryKubectl([...args, '-f', '-'], { input: object })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  return inOrder(stderr)
}

/** The API server has no order; and it says that rules wait for the schema, which is no refusal. */
function inOrder(said: string): string {
  const [head = '', ...lines] = said.trimEnd().split('\n')
  const refusals = lines.filter((line) => !line.startsWith('* <nil>: ')).toSorted()
  return [head, ...refusals, ''].join('\n')
}

function nameOf(what: string): string {
  return what.toLowerCase().replaceAll(/[^a-z]+/g, '-')
}

describe('schemas', () => {
  beforeAll(async () => {
    await lab.kubectl(['apply', '-f', definitions])
    await lab.kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', definitions])
    await lab.apply([namespaceObject(namespace)])
  })

  afterAll(async () => {
    await lab.kubectl(['delete', 'namespace', namespace])
  })

  it.each(rows.map(([kind, what, ...specs]) => ({ kind, what, specs })))(
    '$kind: $what',
    async ({ kind, what, specs }) => {
      const name = nameOf(what)
      const last = objectOf(kind, name, { spec: specs.at(-1) })
      for (const spec of specs.slice(0, -1)) {
        await lab.kubectl(['apply', '-f', '-'], { input: objectOf(kind, name, { spec }) })
      }
      const said = await refusal(['apply'], last)
      expect(said).toMatch(new RegExp(`^The ${kind} "${name}" is invalid: `))
      expect(said).toMatch(/\bspec\b/)
      transcript.push(`## ${kind}: ${what}\n${JSON.stringify(specs.at(-1))}\n\n${said}`)
    },
  )

  it.each(reports.map(([kind, what, ...statuses]) => ({ kind, what, statuses })))(
    '$kind: $what',
    async ({ kind, what, statuses }) => {
      const name = nameOf(what)
      await lab.kubectl(['apply', '-f', '-'], { input: objectOf(kind, name, {}) })
      const onStatus = ['apply', '--server-side', '--subresource=status']
      for (const status of statuses.slice(0, -1)) {
        await lab.kubectl([...onStatus, '-f', '-'], { input: objectOf(kind, name, { status }) })
      }
      const said = await refusal(onStatus, objectOf(kind, name, { status: statuses.at(-1) }))
      expect(said).toContain('status.')
      transcript.push(`## ${kind}: ${what}\n${JSON.stringify(statuses.at(-1))}\n\n${said}`)
    },
  )

  it('says all of it in the words of the transcript', async () => {
    expect(new Set([...rows, ...reports].map(([kind]) => kind)).size).toBe(9)
    await expect(transcript.join('\n')).toMatchFileSnapshot('testdata/schema-refusals.txt')
  })

  it('takes what MetalLB takes, though it looks odd', async () => {
    await lab.kubectl(['apply', '-f', '-'], {
      input: objectOf('IPAddressPool', 'host-bits', {
        spec: { addresses: ['192.0.2.77/24', '192.0.2.1 - 192.0.2.9'], serviceAllocation: {} },
      }),
    })
    await lab.kubectl(['apply', '-f', '-'], {
      input: objectOf('BGPPeer', 'zeros', {
        spec: { ...session, peerPort: 0, holdTime: '0s', keepaliveTime: '0s', passwordSecret: {}, vrf: '' },
      }),
    })
    const [pool] = await lab.list<KubernetesObject & { readonly spec: object }>('ipaddresspools', {
      namespace,
    })
    expect(pool?.spec).toMatchObject({ autoAssign: true, avoidBuggyIPs: false })
  })
})
