/** The ingress: the control plane that programs Envoy. */
export type { Settings } from './configuration/settings.ts'
export type { ConfigurationSource, LeaderElectionSettings, ServeStart } from './options.ts'
export { runServe } from './serve/start.ts'
