/** Roles as lists of `<program> <verb> <resource>`, to be compared with what was asked. */
import type { Manifest } from '../lab/index.ts'

interface RoleObject {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[]
}

/** Of the roles named after their program, as ours are: `controller`, `metallb-system:controller`. Sorted. */
export function grantsOf(manifests: readonly Manifest[]): readonly string[] {
  const roles = manifests
    .filter(isRole)
    .flatMap(({ metadata, rules }) =>
      rules.flatMap(({ resources, verbs }) =>
        resources.flatMap((resource) =>
          verbs.map((verb) => `${metadata.name.split(':').at(-1)} ${verb} ${resource}`),
        ),
      ),
    )
  return [...new Set(roles)].toSorted()
}

function isRole(manifest: Manifest): manifest is Manifest & RoleObject {
  return manifest['kind'] === 'Role' || manifest['kind'] === 'ClusterRole'
}
