/** The only code that talks to the Kubernetes API server. */
export type { Access } from './access.ts'
export { ApiError, hasStatus } from './api-error.ts'
export { type Backoff, delayMs } from './backoff.ts'
export { Cluster, type ClusterOptions, openCluster, type Page, type Selection } from './cluster.ts'
export {
  configMapType,
  endpointSliceType,
  endpointsType,
  ingressType,
  namespaceType,
  nodeType,
  podType,
  secretType,
  serviceType,
} from './core-types.ts'
export { endpointSource } from './endpoint-source.ts'
export { EventRecorder, type EventRecorderOptions, type EventText, eventType } from './event-recorder.ts'
export { findAccess } from './find-access.ts'
export { LeaderElection, type LeaderElectionOptions } from './leader-election.ts'
export type { OutageGate } from './outage-gate.ts'
export { Reflector, type ReflectorOptions, type ReflectorTimes } from './reflector.ts'
export {
  type CustomObject,
  customType,
  pathOf,
  projectMeta,
  type RawMeta,
  type RawObject,
  type ResourceType,
} from './resource.ts'
export { scrapeReview } from './scrape-review.ts'
export { mayI, type Wish } from './self-review.ts'
export { type Mutation, StatusWriter, type WriteOptions, type WriteOutcome } from './status-writer.ts'
export type { Change } from './store.ts'
export type { RequestParameters } from './transport.ts'
export { WorkQueue, type WorkQueueOptions } from './work-queue.ts'
