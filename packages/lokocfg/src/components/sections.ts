/** The objects of packages/manifests, and one of them changed. */
import type { Manifest, Section } from '@landfall/manifests'

/** Namespace first, then what defines kinds, then the rest: the order of application. */
export function objectsOf(sections: readonly Section[], definitions: Section): readonly Manifest[] {
  const [namespace, ...rest] = sections.flatMap(({ objects }) => objects.filter(isManifest))
  const defined = definitions.objects.filter(isManifest)
  return [...(namespace === undefined ? [] : [namespace]), ...defined, ...rest]
}

/** @throws when there is no such object: then the manifests and the component speak of different things */
export function changed(
  objects: readonly Manifest[],
  kind: string,
  name: string,
  change: (manifest: Manifest) => Manifest,
): readonly Manifest[] {
  if (!objects.some((one) => isNamed(one, kind, name)))
    throw new Error(`the manifests have no ${kind} ${name}`)
  return objects.map((one) => (isNamed(one, kind, name) ? change(one) : one))
}

/** `Deployment metallb-system/controller` */
export function nameOfObject({ kind, metadata: { namespace, name } }: Manifest): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
}

function isNamed(manifest: Manifest, kind: string, name: string): boolean {
  return manifest.kind === kind && manifest.metadata.name === name
}

function isManifest(object: object): object is Manifest {
  return 'kind' in object && 'metadata' in object && 'apiVersion' in object
}
