/**
 * Lokomotive's `.lokocfg` files: components `metallb` and `contour` → the objects that install them. Files are read by
 * `readLokocfg`; all else is pure.
 */
export type { Manifest } from '@landfall/manifests'
export { type Attribute, type Component, components, type Release } from './components/index.ts'
export { nameOfObject } from './components/sections.ts'
export { formatProblems, type Paths, readLokocfg } from './folder.ts'
export type { Lokocfg, Merged } from './lokocfg.ts'
export { formatProblem, type Place, type Problem, type ProblemCode, type Warning } from './problem.ts'
export { printManifests, type Rendered, type RenderedComponent, renderComponents } from './render.ts'
