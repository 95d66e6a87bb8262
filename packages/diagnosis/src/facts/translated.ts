/** The whole of what Envoy is to hold, by the translation that programs it. Made once for what was observed. */
import { Engine } from '@landfall/ingress/routing'
import type { ClusterView } from '../cluster-view.ts'
import type { Observed } from '../observed.ts'
import { worldOf } from './world.ts'

const known = new WeakMap<Observed, Engine>()

export function translated({ observed, serving }: Pick<ClusterView, 'observed' | 'serving'>): Engine {
  const found = known.get(observed)
  if (found !== undefined) return found
  const engine = new Engine(worldOf(observed.changes), serving.options)
  engine.apply(observed.changes)
  known.set(observed, engine)
  return engine
}
