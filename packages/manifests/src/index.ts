/**
 * What installs Landfall, as values: two namespaces, the programs in them and the custom resources. Written to
 * manifests/ by `pnpm generate`.
 */
import {
  type CustomResource,
  crdManifest,
  metallbResources,
  projectcontourResources,
} from '@landfall/api/crd'
import { contourObjects } from './contour.ts'
import { controllerObjects } from './controller.ts'
import { envoyObjects } from './envoy.ts'
import { imagesOf } from './images.ts'
import type { Labels, Manifest, Section } from './objects.ts'
import { speakerObjects } from './speaker.ts'

export { envoyVersion, imagesOf } from './images.ts'
export {
  type Alert,
  type Dashboard,
  grafanaJson,
  metricNames,
  monitoring,
  monitoringSections,
  ruleGroup,
} from './monitoring/index.ts'
export type { Manifest, Section } from './objects.ts'

/** The custom resources by the file of manifests/ that defines them. */
export const customResources: Readonly<Record<'metallb' | 'contour', readonly CustomResource[]>> = {
  metallb: metallbResources,
  contour: projectcontourResources,
}

/** @param registry as `imagesOf` takes it */
export function metallbSections(version: string, registry?: string): readonly Section[] {
  const images = imagesOf(version, registry)
  return [
    { title: 'Namespace', objects: [namespace('metallb-system', { app: 'metallb', ...privilegedPods })] },
    { title: 'Controller: assigns addresses', objects: controllerObjects(images.controller) },
    { title: 'Speaker: announces addresses', objects: speakerObjects(images.speaker) },
  ]
}

/** @param registry as `imagesOf` takes it */
export function contourSections(version: string, registry?: string): readonly Section[] {
  const images = imagesOf(version, registry)
  return [
    { title: 'Namespace', objects: [namespace('projectcontour', {})] },
    { title: 'Contour: programs Envoy', objects: contourObjects(images.contour, version) },
    { title: 'Envoy: carries the traffic', objects: envoyObjects(images.envoy, images.contour) },
  ]
}

export function crdSection(part: 'metallb' | 'contour'): Section {
  return { title: 'Custom resource definitions', objects: customResources[part].map(crdManifest) }
}

/** The speaker runs on the host's network, which the pod security standards allow only to privileged namespaces. */
const privilegedPods: Labels = {
  'pod-security.kubernetes.io/enforce': 'privileged',
  'pod-security.kubernetes.io/audit': 'privileged',
  'pod-security.kubernetes.io/warn': 'privileged',
}

function namespace(name: string, labels: Labels): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}
