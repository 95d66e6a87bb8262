/** Who may follow: the authority may sign for others too, so the certificate must name one of ours (RFC 6125, DNS-ID). */
import type { PeerCertificate } from 'node:tls'

/** Envoy's name, and that of the control plane itself, with which its own tools come. */
export const defaultClientNames: readonly string[] = ['envoy', 'contour']

/** `names` empty: whoever the authority signed for. */
export function isNamed(
  certificate: Pick<PeerCertificate, 'subjectaltname'> | undefined,
  names: readonly string[],
): boolean {
  if (names.length === 0) return true
  const shown = dnsNames(certificate?.subjectaltname ?? '')
  return shown.some((name) => names.includes(name))
}

/** From Node's form, `DNS:a, IP Address:1.2.3.4`; a quoted entry is a hostile one and no name. */
function dnsNames(text: string): readonly string[] {
  return text.split(', ').flatMap((entry) => /^DNS:([^"]+)$/.exec(entry)?.[1]?.toLowerCase() ?? [])
}
