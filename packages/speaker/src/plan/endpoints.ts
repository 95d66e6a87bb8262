/** Where a Service has endpoints that take traffic: ready ones, or serving ones of pods that terminate. */
import type { EndpointSlice } from './world.ts'

export interface UsableEndpoints {
  readonly any: boolean
  /** How many there are; where none is ready, those that serve on. Of two families, or lists of ports, each counts. */
  readonly nodes: ReadonlyMap<string, number>
}

export function usableEndpoints(slices: readonly EndpointSlice[]): UsableEndpoints {
  const usable = slices.flatMap((slice) => slice.endpoints.filter((e) => e.ready || e.serving))
  const nodes = new Map<string, number>()
  for (const [node, here] of Map.groupBy(usable, ({ nodeName }) => nodeName))
    if (node !== '') nodes.set(node, here.filter(({ ready }) => ready).length || here.length)
  return { any: usable.length > 0, nodes }
}
