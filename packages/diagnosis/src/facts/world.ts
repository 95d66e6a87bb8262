/** What translation reads, from changes that all came just now. */
import { type Change, emptyWorld, take, type World } from '@landfall/ingress/routing'

export function worldOf(changes: readonly Change[]): World {
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  return world
}
