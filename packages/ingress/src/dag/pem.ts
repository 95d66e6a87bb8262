/** PEM: text with labelled blocks in it. */

export interface PemBlock {
  readonly label: string
  readonly text: string
}

export function pemBlocks(pem: Uint8Array): readonly PemBlock[] {
  const text = new TextDecoder().decode(pem)
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g)
  return [...blocks].map((block) => ({ label: block[1] ?? '', text: block[0] }))
}
