import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { printMigration, readText } from './migration.ts'

const flags = { namespace: 'metallb-system', config: 'config' }
const text = 'address-pools:\n- name: My_Pool\n  protocol: layer2\n  addresses: [10.0.0.0/24]\n'
const configMap = `kind: ConfigMap\nmetadata: {name: config, namespace: lb}\ndata:\n  config: |\n${text.replace(/^/gm, '    ')}`

test.each([
  ['a ConfigMap', configMap, 'lb'],
  ['a list of objects', `kind: List\nitems:\n- ${configMap.trim().replaceAll('\n', '\n  ')}\n`, 'lb'],
  ['only the text under its key', text, 'metallb-system'],
])('%s becomes objects, with the name that changed in a comment', (_, input, namespace) => {
  const printed = printMigration(readText(flags, input))
  expect(printed).toContain('# pool "My_Pool" is named my-pool\n')
  expect(parseAllDocuments(printed).map((document) => document.toJS())).toEqual([
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'my-pool', namespace },
      spec: { addresses: ['10.0.0.0/24'] },
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'L2Advertisement',
      metadata: { name: 'l2advertisement1', namespace },
      spec: { ipAddressPools: ['my-pool'] },
    },
  ])
})

test('AddressPools of v0.13 become objects', () => {
  const pool = (name: string, spec: string) =>
    `apiVersion: metallb.io/v1beta1\nkind: AddressPool\nmetadata: {name: ${name}, namespace: lb}\nspec: ${spec}\n`
  const one = pool('one', '{protocol: layer2, addresses: [10.0.0.0/24], autoAssign: false}')
  const advertised = '{aggregationLength: 32, localPref: 100, communities: ["65535:65282"]}'
  const two = pool('two', `{protocol: bgp, addresses: [10.1.0.0/24], bgpAdvertisements: [${advertised}]}`)
  const printed = printMigration(readText(flags, `${one}---\n${two}`))
  const objects = parseAllDocuments(printed).map((document) => document.toJS() as object)
  const metadata = (name: string) => ({ name, namespace: 'lb' })
  expect(objects).toMatchObject([
    {
      kind: 'IPAddressPool',
      metadata: metadata('one'),
      spec: { addresses: ['10.0.0.0/24'], autoAssign: false },
    },
    { kind: 'IPAddressPool', metadata: metadata('two'), spec: { addresses: ['10.1.0.0/24'] } },
    { kind: 'L2Advertisement', spec: { ipAddressPools: ['one'] } },
    {
      kind: 'BGPAdvertisement',
      spec: { ipAddressPools: ['two'], aggregationLength: 32, localPref: 100, communities: ['65535:65282'] },
    },
  ])
})

test('a ConfigMap that is refused is refused with every reason', () => {
  const bad = 'address-pools: [{name: p, protocol: rip, addresses: [10.0.0.1]}]'
  expect(() => printMigration(readText(flags, bad))).toThrow(
    /address-pools\[0\]\.protocol: .*\n.*address-pools\[0\]\.addresses\[0\]: /,
  )
})

test('a file without a ConfigMap is said to be one', () => {
  expect(() => readText(flags, 'kind: Node\nmetadata: {name: n1}')).toThrow('neither a ConfigMap')
})
