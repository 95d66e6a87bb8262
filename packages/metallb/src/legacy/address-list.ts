/**
 * The addresses of one pool of the ConfigMap. `arp-network` (v0.3, v0.4) is the network that they lie in: its first
 * and its last address are handed out to nobody.
 */
import {
  formatPrefix,
  formatRange,
  lastIP,
  type Prefix,
  parsePrefix,
  parseRange,
  prefixContains,
  prefixOf,
  type Range,
} from '@landfall/netip'
import type { Dialect } from './dialect.ts'
import type { Section } from './section.ts'

export interface WrittenAddress {
  readonly text: string
  /** `addresses[0]` */
  readonly field: string
}

export function readAddresses(section: Section, dialect: Dialect): readonly WrittenAddress[] {
  const under = (key: string) =>
    section.texts(key).map((text, index) => ({ text, field: `${key}[${index}]` }))
  const all =
    dialect === 'strict' ? under('addresses') : [...under('addresses'), ...readCIDRs(under, section)]
  if (all.length === 0) section.report('addresses', 'MissingField', 'a pool needs addresses')
  if (dialect === 'strict') return all
  const protocol = section.text('protocol')
  const family = protocol === 'arp' ? 4 : protocol === 'ndp' ? 6 : undefined
  for (const { text, field } of all) {
    const found = parseRange(text)?.first.family
    if (family === undefined || found === undefined || found === family) continue
    section.report(field, 'InvalidAddress', `protocol ${protocol} is for IPv${family}, ${text} is not`)
  }
  return inNetwork(all, section)
}

/** The older key takes no ranges. */
function readCIDRs(under: (key: string) => readonly WrittenAddress[], section: Section) {
  const written = under('cidr')
  for (const { text, field } of written) {
    if (parsePrefix(text) === undefined) {
      section.report(field, 'InvalidAddress', `${JSON.stringify(text)} is no CIDR`)
    }
  }
  return written
}

function inNetwork(all: readonly WrittenAddress[], section: Section): readonly WrittenAddress[] {
  const network = readNetwork(all, section)
  if (network === undefined) return all
  const left = all.flatMap((address) => {
    const range = parseRange(address.text)
    if (range === undefined) return [address]
    if (!prefixContains(network, range.first) || !prefixContains(network, range.last)) {
      const problem = `${address.text} is not inside the arp-network ${formatPrefix(network)}`
      section.report(address.field, 'InvalidAddress', problem)
      return [address]
    }
    const cut = withoutEnds(range, network)
    if (cut.first === range.first && cut.last === range.last) return [address]
    return cut.first.value > cut.last.value ? [] : [{ ...address, text: formatRange(cut) }]
  })
  if (left.length === 0 && all.length > 0) {
    const problem = `${formatPrefix(network)} leaves no address of the pool`
    section.report('arp-network', 'MissingField', problem)
  }
  return left
}

/** As written, else the /24 of the first CIDR where the protocol is ARP. */
function readNetwork(all: readonly WrittenAddress[], section: Section): Prefix | undefined {
  const written = section.text('arp-network')
  if (written !== undefined) {
    const network = parsePrefix(written)
    if (network === undefined) {
      section.report('arp-network', 'InvalidAddress', `${JSON.stringify(written)} is no CIDR`)
    }
    return network
  }
  const first = all.find(({ field }) => field.startsWith('cidr'))
  const ip = section.text('protocol') === 'arp' && first ? parseRange(first.text)?.first : undefined
  return ip?.family === 4 ? prefixOf(ip, 24) : undefined
}

/** A network of one or two addresses has no ends to leave out. */
function withoutEnds(range: Range, network: Prefix): Range {
  const last = lastIP(network)
  if (last.value - network.ip.value < 2n) return range
  const { family } = network.ip
  return {
    first: range.first.value === network.ip.value ? { family, value: range.first.value + 1n } : range.first,
    last: range.last.value === last.value ? { family, value: range.last.value - 1n } : range.last,
  }
}
