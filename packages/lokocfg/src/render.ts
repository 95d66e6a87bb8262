/** The components that are asked for, as objects, and as the text that `render-manifest` prints. */
import type { Manifest } from '@landfall/manifests'
import { stringify } from 'yaml'
import { type Component, components, type Release } from './components/index.ts'
import { nameOfObject } from './components/sections.ts'
import type { Merged } from './lokocfg.ts'
import type { Problem, Warning } from './problem.ts'

export interface RenderedComponent {
  readonly name: string
  readonly namespace: string
  /** In the order of application. */
  readonly objects: readonly Manifest[]
  /** What other configurations give beyond that. */
  readonly absent: readonly Manifest[]
  /** Names of objects that are left as they are once a component has written them. */
  readonly once: readonly string[]
}

export type Rendered =
  | {
      readonly ok: true
      readonly components: readonly RenderedComponent[]
      /** In the order of the components. */
      readonly warnings: readonly Warning[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const known = components.map(({ name }) => name).join(', ')

/** @param names [] means all that are configured, in their order; one that is not configured has its defaults */
export function renderComponents(lokocfg: Merged, names: readonly string[], release: Release): Rendered {
  const { problems } = lokocfg
  const configured = [...lokocfg.components.keys()]
  const wanted = names.length === 0 ? configured : [...new Set(names)]
  if (wanted.length === 0 && problems.found.length === 0) {
    problems.report('UnknownComponent', undefined, `no component is configured; name one: ${known}`)
  }
  const rendered = wanted.flatMap((name) => {
    const component = components.find((one) => one.name === name)
    if (component !== undefined) return [renderOne(component, lokocfg, release)]
    const block = lokocfg.components.get(name)
    const others = configured.filter((one) => components.some(({ name: other }) => other === one))
    if (block !== undefined)
      block.refuse('UnknownComponent', `is none of ${known}; name those you want: ${others.join(' ')}`)
    else problems.report('UnknownComponent', undefined, `there is no component "${name}"; there are ${known}`)
    return []
  })
  return problems.found.length === 0
    ? { ok: true, components: rendered, warnings: problems.warnings }
    : { ok: false, problems: problems.found.toSorted(byPlace) }
}

/** What is about no text comes first. */
function byPlace({ at: a }: Problem, { at: b }: Problem): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}

function renderOne(component: Component, lokocfg: Merged, release: Release): RenderedComponent {
  const { name, namespace, once } = component
  const objects = component.render(lokocfg.components.get(name), release)
  const given = new Set(objects.map(nameOfObject))
  const absent = component.optional().filter((one) => !given.has(nameOfObject(one)))
  return { name, namespace, objects, absent, once }
}

/** A header a component, then each object as a file of its own, `kubectl apply -f -` takes all. */
export function printManifests(rendered: readonly RenderedComponent[]): string {
  const parts = rendered.map(({ name, objects }) => {
    const files = objects.map((one) => `---\n# ${fileName(one)}\n${printObject(one)}`)
    return `# manifests for component ${name}\n${files.join('')}`
  })
  return parts.join('')
}

function fileName({ kind, metadata: { name } }: Manifest): string {
  return `${kind.toLowerCase()}-${name.replaceAll(/[^a-z0-9.-]/g, '-')}.yaml`
}

function printObject(object: Manifest): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
}
