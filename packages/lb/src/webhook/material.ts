/**
 * Whether the certificate in the Secret will do. In: the Secret's data, the names that clients ask for, and the time.
 * Out: the material, or what has to be made anew and why. The keys are those of open-policy-agent's cert-controller,
 * which MetalLB uses: `ca.crt`, `ca.key`, `tls.crt`, `tls.key`, and so is the time before the end.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'

/** Each in PEM. */
export interface Material {
  readonly ca: string
  readonly caKey: string
  readonly certificate: string
  readonly key: string
}

export type Flaw =
  | 'Missing'
  | 'Unreadable'
  | 'NotSigned'
  | 'KeyMismatch'
  | 'Ending'
  | 'NotYetValid'
  | 'WrongName'

/** `leaf`: the authority is good and signs a new certificate; `all`: it has to be replaced, too. */
export type Verdict =
  | { readonly kind: 'good'; readonly material: Material }
  | { readonly kind: 'leaf'; readonly reason: Flaw; readonly material: Material }
  | { readonly kind: 'all'; readonly reason: Flaw }

export const lifetimeDays = 3650
const lookaheadMs = 90 * 24 * 3600 * 1000

export function judge(data: Readonly<Record<string, string>>, names: readonly string[], now: Date): Verdict {
  const read = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString('utf8')
  const material = {
    ca: read('ca.crt'),
    caKey: read('ca.key'),
    certificate: read('tls.crt'),
    key: read('tls.key'),
  }
  const authority = flawOf(material.ca, material.caKey, now, () => undefined)
  if (authority !== undefined) return { kind: 'all', reason: authority }
  const { publicKey } = new X509Certificate(material.ca)
  const leaf = flawOf(material.certificate, material.key, now, (certificate) => {
    if (!certificate.verify(publicKey)) return 'NotSigned'
    return names.every((name) => certificate.checkHost(name) !== undefined) ? undefined : 'WrongName'
  })
  return leaf === undefined ? { kind: 'good', material } : { kind: 'leaf', reason: leaf, material }
}

function flawOf(
  pem: string,
  key: string,
  now: Date,
  more: (certificate: X509Certificate) => Flaw | undefined,
): Flaw | undefined {
  if (pem === '' || key === '') return 'Missing'
  try {
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return 'KeyMismatch'
    if (certificate.validToDate.getTime() - now.getTime() < lookaheadMs) return 'Ending'
    if (certificate.validFromDate > now) return 'NotYetValid'
    return more(certificate)
  } catch {
    return 'Unreadable'
  }
}

export function secretData(material: Material): Readonly<Record<string, string>> {
  const encode = (text: string) => Buffer.from(text).toString('base64')
  return {
    'ca.crt': encode(material.ca),
    'ca.key': encode(material.caKey),
    'tls.crt': encode(material.certificate),
    'tls.key': encode(material.key),
  }
}
