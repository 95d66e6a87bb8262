/** The order in which nodes are preferred for an address: by SHA-256 of `node#address`, lowest first. */
import { createHash } from 'node:crypto'

/** `address` in RFC 5952 text. */
export function rankNodes(nodes: readonly string[], address: string): readonly string[] {
  return nodes
    .map((node) => ({ node, rank: createHash('sha256').update(`${node}#${address}`).digest('hex') }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ node }) => node)
}
