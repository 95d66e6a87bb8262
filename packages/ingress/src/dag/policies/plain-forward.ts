/** Forwarding to Services with nothing else asked. */
import type { Cluster } from '../cluster.ts'
import type { Forward, HeaderEdits } from '../virtual-host.ts'

export const noEdits: HeaderEdits = { set: [], remove: [] }

export function plainForward(clusters: readonly Cluster[]): Forward {
  return {
    kind: 'forward',
    clusters: clusters.map((cluster) => ({ cluster, weight: 1, request: noEdits, response: noEdits })),
    websockets: false,
    mirror: undefined,
    response: undefined,
    idle: undefined,
    retry: undefined,
    hash: [],
    prefixRewrite: undefined,
    hostRewrite: undefined,
    requestHeaders: noEdits,
    responseHeaders: noEdits,
    internalRedirect: undefined,
  }
}
