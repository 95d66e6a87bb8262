/** The custom resource definitions, for the manifests and for tests. Programs do not import this. */
export { type Bound, boundsOf } from './bounds.ts'
export type { CustomResource, CustomResourceVersion, PrinterColumn } from './definition.ts'
export { type CustomResourceDefinition, crdManifest } from './manifest.ts'
export { metallbResources } from './metallb.ts'
export { projectcontourResources } from './projectcontour.ts'
export { specProblems } from './spec-problems.ts'
