/** The addresses of a session: the peer's, and where a node connects from. */
import { formatIP, formatPrefix, type IP, isLinkLocal, parseIP, parsePrefix } from '@landfall/netip'
import type { SourceAddress } from './config.ts'
import type { Problems } from './refusal.ts'

/** Names that the kernel takes: 1 to 15 characters, no slash, colon or blank. */
const interfaceName = /^[^\s/:]{1,15}$/

export function isInterfaceName(text: string): boolean {
  return interfaceName.test(text) && text !== '.' && text !== '..'
}

/** An end of the session. What MetalLB takes, though it never works, is not supported rather than invalid. */
export function readEndpoint(field: string, text: string | undefined, problems: Problems): IP | undefined {
  const ip = readAddress(field, text, problems)
  if (ip === undefined) return undefined
  if (ip.family === 6 && isLinkLocal(ip)) {
    const problem = `${formatIP(ip)} is link-local, and means nothing without an interface: use another address`
    problems.report(field, 'NotSupported', problem)
  } else if (!isUnicast(ip)) {
    problems.report(field, 'NotSupported', `${formatIP(ip)} is no address of one host`)
  }
  return ip
}

export function readAddress(field: string, text: string | undefined, problems: Problems): IP | undefined {
  if (text === undefined || text === '') return undefined
  const ip = parseIP(text)
  if (ip === undefined) problems.report(field, 'InvalidAddress', `${JSON.stringify(text)} is no IP address`)
  return ip
}

/** `remote`: the peer's address, for the family; undefined for an unnumbered peer. */
export function readSource(
  text: string | undefined,
  remote: IP | undefined,
  problems: Problems,
): SourceAddress | undefined {
  const field = 'spec.sourceAddress'
  if (text === undefined || text === '') return undefined
  const isOther = (ip: IP) => remote !== undefined && ip.family !== remote.family
  const conflict = () => {
    problems.report(field, 'ConflictingFields', 'it is not of the family of spec.peerAddress')
  }
  const prefix = text.includes('/') ? parsePrefix(text) : undefined
  if (prefix !== undefined) {
    if (isOther(prefix.ip)) conflict()
    return { kind: 'prefix', prefix }
  }
  // What looks like an address is one, or a mistake.
  if (!/^[0-9.]+$|[:/]/.test(text) && isInterfaceName(text)) return { kind: 'interface', name: text }
  const ip = readEndpoint(field, text, problems)
  if (ip === undefined) return undefined
  if (isOther(ip)) conflict()
  return { kind: 'address', ip }
}

/** Equal texts for equal sources. */
export function formatSource(source: SourceAddress | undefined): string {
  switch (source?.kind) {
    case 'address':
      return formatIP(source.ip)
    case 'prefix':
      return formatPrefix(source.prefix)
    default:
      return source?.name ?? ''
  }
}

function isUnicast({ family, value }: IP): boolean {
  return value !== 0n && (family === 4 ? value >> 28n < 0xen : value >> 120n !== 0xffn)
}
