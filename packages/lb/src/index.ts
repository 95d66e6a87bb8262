/** The controller: gives Services of type LoadBalancer their addresses. */
export {
  type ControllerOptions,
  defaultHealthPort,
  defaultPoolRemovalGraceMs,
  type ListenAddress,
  type WebhookOptions,
} from './options.ts'
export { leaseName, runController } from './run-controller.ts'
