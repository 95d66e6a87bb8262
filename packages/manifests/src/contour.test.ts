import { expect, it } from 'vitest'
import { contourObjects } from './contour.ts'

/** To which Role the bindings of Contour's own manifests refer, by their names. */
const ofContour: Readonly<Record<string, string>> = {
  contour: 'contour-certgen',
  'contour-rolebinding': 'contour',
}

it('is taken by the API server over what Contour left: the Role of a binding cannot be changed', () => {
  const bindings = contourObjects('landfall/contour:1', '1').filter(({ kind }) => kind === 'RoleBinding')
  const roles = new Map(bindings.map(({ metadata, roleRef }) => [metadata.name, roleRef]))
  expect([...roles.keys()]).toEqual(['contour-rolebinding', 'contour-certgen'])
  for (const [binding, name] of Object.entries(ofContour)) {
    const kept = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
    expect(roles.get(binding) ?? kept).toEqual(kept)
  }
})
