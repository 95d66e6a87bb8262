/** Where a Service has endpoints that take traffic: ready ones, or serving ones of pods that terminate. */
import type { EndpointSlice } from '@landfall/kube/model'

export interface UsableEndpoints {
  readonly any: boolean
  readonly nodes: ReadonlySet<string>
}

export function usableEndpoints(slices: readonly EndpointSlice[]): UsableEndpoints {
  const usable = slices.flatMap((slice) => slice.endpoints.filter((e) => e.ready || e.serving))
  return {
    any: usable.length > 0,
    nodes: new Set(usable.map((e) => e.nodeName).filter((name) => name !== '')),
  }
}
