/** The ingress: the control plane that programs Envoy. */
export { defaultServeOptions, type LeaderElectionSettings, type ServeOptions } from './options.ts'
export { runServe } from './serve/serve.ts'
