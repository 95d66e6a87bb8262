/** Stopping an Envoy without losing a request: the sidecar and the preStop hook. */
export { runShutdown, type ShutdownOptions } from './shutdown.ts'
export { runShutdownManager, type ShutdownManagerOptions } from './shutdown-manager.ts'
