/** The controller: gives Services of type LoadBalancer their addresses. */
export {
  type ControllerOptions,
  defaultHealthPort,
  defaultMetricsPort,
  defaultPoolRemovalGraceMs,
  type ListenAddress,
} from './options.ts'
export { leaseName, runController } from './run-controller.ts'
