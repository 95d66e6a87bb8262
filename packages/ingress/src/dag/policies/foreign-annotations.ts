/** Annotations of Contour's that say nothing on the kind of object that has them: each is pointed out. */
import type { Problem } from '../problem.ts'
import { ignored } from './ignored-fields.ts'

const ours = /^(projectcontour|ingress\.kubernetes)\.io\/|^kubernetes\.io\/ingress\./

export function foreignAnnotations(
  annotations: Readonly<Record<string, string>>,
  kind: string,
  known: ReadonlySet<string>,
): readonly Problem[] {
  return Object.keys(annotations)
    .filter((name) => ours.test(name) && !known.has(name))
    .map((name) => ignored(`metadata.annotations["${name}"]: ignored on an ${kind}`))
}
