/** Changes that translation need not see: those of an object's status alone, our own writes among them. */
import type { Meta } from '@landfall/kube/model'
import type { Change } from '../model/objects.ts'

export function isRelevant({ kind, before, after }: Change): boolean {
  if (kind !== 'httpProxy' && kind !== 'ingress' && kind !== 'extensionService') return true
  if (before === undefined || after === undefined) return true
  return !sameDesire(before.meta, after.meta)
}

/** The generation counts changes of the spec; the class may stand in an annotation. */
function sameDesire(a: Meta, b: Meta): boolean {
  return a.uid === b.uid && a.generation === b.generation && sameTexts(a.annotations, b.annotations)
}

function sameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
