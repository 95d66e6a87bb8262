/**
 * Takes a component out of a cluster: its objects, last ones first. What holds other people's objects stays unless it is
 * asked for: the namespace; the definitions of kinds stay always, as pools, peers and HTTPProxies go with them.
 */
import type { Cluster } from '@landfall/kube'
import { type Manifest, nameOfObject, type RenderedComponent } from '@landfall/lokocfg'
import { deleteObject } from './apply.ts'
import { isOurs, readObject } from './objects.ts'

const kept = ['Namespace', 'CustomResourceDefinition']
/** There under the same name when somebody made them by hand: deleted when a component wrote them. */
const shared = ['ConfigMap']

/** @returns the objects that are there and will go, in the order of deletion */
export async function deletionsOf(
  cluster: Cluster,
  component: RenderedComponent,
  withNamespace: boolean,
): Promise<readonly Manifest[]> {
  const all = [...component.absent, ...component.objects.toReversed()]
  const going: Manifest[] = []
  for (const object of all) {
    if (kept.includes(object.kind) && !(withNamespace && object.kind === 'Namespace')) continue
    const found = await readObject(cluster, object)
    if (found === undefined || (shared.includes(object.kind) && !isOurs(found))) continue
    going.push(object)
  }
  return going
}

export async function deleteAll(
  cluster: Cluster,
  objects: readonly Manifest[],
  say: (line: string) => void,
): Promise<void> {
  for (const object of objects) {
    if (object.kind === 'Namespace') say(`Waiting for ${nameOfObject(object)} to go`)
    await deleteObject(cluster, object)
  }
}
