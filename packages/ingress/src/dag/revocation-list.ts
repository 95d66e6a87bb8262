/**
 * Whether a PEM block is a list of revoked certificates (RFC 5280, 5.1: CertificateList), as far as Envoy reads it when
 * it takes one: Node itself reads none.
 */
import type { PemBlock } from './pem.ts'

const tags = {
  integer: 0x02,
  bits: 0x03,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
  extensions: 0xa0,
}

interface Element {
  readonly tag: number
  readonly content: Buffer
}

export function isRevocationList({ text }: PemBlock): boolean {
  const base64 = text.replaceAll(/-----[^-]+-----|\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false
  const [list, ...more] = elements(Buffer.from(base64, 'base64')) ?? []
  if (list?.tag !== tags.sequence || more.length > 0) return false
  const [signed, algorithm, signature, ...rest] = elements(list.content) ?? []
  if (signed?.tag !== tags.sequence || algorithm?.tag !== tags.sequence || rest.length > 0) return false
  return signature?.tag === tags.bits && signature.content[0] === 0 && isSigned(signed, algorithm)
}

/** TBSCertList: its signature algorithm is that of the list. */
function isSigned({ content }: Element, algorithm: Element): boolean {
  const all = elements(content) ?? []
  const parts = all[0]?.tag === tags.integer ? all.slice(1) : all
  const [own, issuer, thisUpdate, ...others] = parts
  const left = isTime(others[0]) ? others.slice(1) : others
  const entries = left[0]?.tag === tags.sequence ? left[0] : undefined
  const extensions = entries === undefined ? left : left.slice(1)
  return (
    own?.tag === tags.sequence &&
    own.content.equals(algorithm.content) &&
    issuer?.tag === tags.sequence &&
    isList(issuer, tags.set) &&
    isTime(thisUpdate) &&
    (entries === undefined ||
      (isList(entries, tags.sequence) && elements(entries.content)?.every(isEntry) === true)) &&
    extensions.length <= 1 &&
    extensions.every(({ tag }) => tag === tags.extensions)
  )
}

function isEntry({ content }: Element): boolean {
  const [serial, date, ...more] = elements(content) ?? []
  // Extensions that are there are not empty: OpenSSL does not mind, Envoy does.
  const [extensions] = more
  const rest =
    extensions === undefined ||
    (more.length === 1 && extensions.tag === tags.sequence && extensions.content.length > 0)
  return serial?.tag === tags.integer && isTime(date) && rest
}

function isList({ content }: Element, of: number): boolean {
  return elements(content)?.every(({ tag }) => tag === of) === true
}

function isTime(element: Element | undefined): boolean {
  if (element === undefined) return false
  const text = element.content.toString('latin1')
  return element.tag === tags.utcTime
    ? /^\d{12}Z$/.test(text)
    : element.tag === tags.generalizedTime && /^\d{14}Z$/.test(text)
}

/** DER elements one behind the other to the end; undefined: it is none. */
function elements(der: Buffer): readonly Element[] | undefined {
  const found: Element[] = []
  for (let at = 0; at < der.length; ) {
    const [tag = 0, first = 0] = der.subarray(at, at + 2)
    const extra = first < 0x80 ? 0 : first & 0x7f
    if (at + 2 + extra > der.length || extra > 4 || first === 0x80) return undefined
    const written = der.subarray(at + 2, at + 2 + extra).reduce((all, byte) => all * 256 + byte, 0)
    const start = at + 2 + extra
    const end = start + (extra === 0 ? first : written)
    if (end > der.length) return undefined
    found.push({ tag, content: der.subarray(start, end) })
    at = end
  }
  return found
}
