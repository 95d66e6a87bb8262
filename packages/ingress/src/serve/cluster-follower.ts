/** For tests: follows the clusters that `serve` tells Envoys of. */
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { ClusterSchema } from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import { follow } from './follower.ts'

/** @returns how long each may take to connect, as last told, and what ends it */
export function followClusters(xdsPort: number): {
  readonly seconds: Map<string, bigint | undefined>
  readonly end: () => void
} {
  const seconds = new Map<string, bigint | undefined>()
  const end = follow(xdsPort, {
    type: 'clusters',
    onResources: (resources) => {
      for (const { name, resource } of resources)
        if (resource !== undefined)
          seconds.set(name, anyUnpack(resource, ClusterSchema)?.connectTimeout?.seconds)
      return undefined
    },
  })
  return { seconds, end }
}
