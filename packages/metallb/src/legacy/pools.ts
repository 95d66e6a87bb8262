/** `address-pools` → IPAddressPool objects, and the advertisements that announce each. */
import type { BGPAdvertisement, BGPAdvertisementSpec, IPAddressPool, L2Advertisement } from '@landfall/api'
import type { Meta } from '@landfall/kube/model'
import { readAddresses } from './address-list.ts'
import type { Dialect } from './dialect.ts'
import { given, type Made, metaOf } from './made.ts'
import type { Section } from './section.ts'

export interface MadePools {
  readonly pools: readonly Made<IPAddressPool>[]
  readonly l2: readonly Made<L2Advertisement>[]
  readonly bgp: readonly Made<BGPAdvertisement>[]
}

const protocols: Readonly<Record<string, 'layer2' | 'bgp'>> = {
  layer2: 'layer2',
  bgp: 'bgp',
  arp: 'layer2',
  ndp: 'layer2',
}
const largest = 0xffffffff

export function readPools(sections: readonly Section[], dialect: Dialect, from: Meta): MadePools {
  const pools: Made<IPAddressPool>[] = []
  const l2: Made<L2Advertisement>[] = []
  const bgp: Made<BGPAdvertisement>[] = []
  const names = new Set<string>()
  // v0.2 knew nothing but BGP, and so no word for it.
  const withoutProtocol = dialect === 'lenient' && sections.every((section) => !section.has('protocol'))
  for (const section of sections) {
    const name = readName(section, names)
    const protocol = withoutProtocol ? 'bgp' : readProtocol(section, dialect)
    pools.push(readPool(section, name, dialect, from))
    const advertisements = readAdvertisements(section, dialect)
    if (protocol === 'layer2') {
      if (advertisements.length > 0) {
        section.report('bgp-advertisements', 'ConflictingFields', 'they are not for a pool of layer 2')
      }
      const meta = metaOf(`l2advertisement${l2.length + 1}`, from)
      l2.push({ object: { meta, spec: { ipAddressPools: [name] } }, path: section.path, fields: {} })
    }
    if (protocol !== 'bgp') continue
    const all = advertisements.length > 0 ? advertisements : [{ path: section.path, spec: {} }]
    for (const { path, spec } of all) {
      const meta = metaOf(`bgpadvertisement${bgp.length + 1}`, from)
      bgp.push({ object: { meta, spec: { ...spec, ipAddressPools: [name] } }, path, fields: {} })
    }
  }
  return { pools, l2, bgp }
}

function readName(section: Section, names: Set<string>): string {
  const name = section.text('name') ?? ''
  if (name === '') section.report('name', 'MissingField', 'a pool needs a name')
  else if (names.has(name)) {
    section.report('name', 'DuplicateValue', `there is a pool ${JSON.stringify(name)} already`)
  }
  names.add(name)
  return name
}

function readProtocol(section: Section, dialect: Dialect): 'layer2' | 'bgp' | undefined {
  const written = section.text('protocol')
  const words = dialect === 'strict' ? ['bgp', 'layer2'] : Object.keys(protocols)
  if (written === undefined) {
    section.report('protocol', 'MissingField', `a pool needs a protocol: ${words.join(', ')}`)
  } else if (!words.includes(written)) {
    section.report('protocol', 'InvalidValue', `${JSON.stringify(written)} is none of ${words.join(', ')}`)
  } else return protocols[written]
  return undefined
}

function readPool(section: Section, name: string, dialect: Dialect, from: Meta): Made<IPAddressPool> {
  const addresses = readAddresses(section, dialect)
  const spec = {
    addresses: addresses.map(({ text }) => text),
    ...given('autoAssign', section.flag('auto-assign')),
    ...given('avoidBuggyIPs', section.flag('avoid-buggy-ips')),
  }
  const fields = addresses.map(({ field }, index) => [`spec.addresses[${index}]`, field] as const)
  const meta = metaOf(name, from)
  return { object: { meta, spec }, path: section.path, fields: Object.fromEntries(fields) }
}

interface WrittenAdvertisement {
  readonly path: string
  readonly spec: BGPAdvertisementSpec
}

function readAdvertisements(section: Section, dialect: Dialect): readonly WrittenAdvertisement[] {
  // v0.2 called them so.
  const older = dialect === 'lenient' ? section.sections('advertisements') : []
  const seen = new Set<string>()
  const all = [...section.sections('bgp-advertisements'), ...older].map((one) => {
    const communities = one.texts('communities')
    const spec = {
      ...given('aggregationLength', one.whole('aggregation-length', 32)),
      ...given('aggregationLengthV6', one.whole('aggregation-length-v6', 128)),
      ...given('localPref', one.whole('localpref', largest)),
      ...(communities.length === 0 ? {} : { communities }),
    }
    const text = JSON.stringify({ ...spec, communities: communities.toSorted() })
    if (seen.has(text))
      section.report(one.path.slice(section.path.length + 1), 'DuplicateValue', 'it is listed twice')
    seen.add(text)
    one.finish()
    return { path: one.path, spec }
  })
  section.finish()
  return all
}
