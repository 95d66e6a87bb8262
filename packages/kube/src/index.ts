/** The only code that talks to the Kubernetes API server. */
export {
  configMapType,
  endpointSliceType,
  ingressType,
  namespaceType,
  nodeType,
  podType,
  secretType,
  serviceType,
} from './core-types.ts'
export {
  type CustomObject,
  customType,
  pathOf,
  projectMeta,
  type RawMeta,
  type RawObject,
  type ResourceType,
} from './resource.ts'
