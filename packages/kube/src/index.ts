/** The only code that talks to the Kubernetes API server. */
export { type Access, findAccess } from './access.ts'
export { ApiError, hasStatus } from './api-error.ts'
export { Cluster, type ClusterOptions, openCluster, type RequestParameters } from './cluster.ts'
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
export { EventRecorder, type EventRecorderOptions, type EventText } from './event-recorder.ts'
export { LeaderElection, type LeaderElectionOptions } from './leader-election.ts'
export { type Change, Reflector, type ReflectorOptions } from './reflector.ts'
export {
  type CustomObject,
  customType,
  pathOf,
  projectMeta,
  type RawMeta,
  type RawObject,
  type ResourceType,
} from './resource.ts'
export { StatusWriter, type WriteOptions, type WriteOutcome } from './status-writer.ts'
export { WorkQueue, type WorkQueueOptions } from './work-queue.ts'
