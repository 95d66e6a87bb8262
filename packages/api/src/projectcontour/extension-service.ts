/** projectcontour.io/v1alpha1 ExtensionService: a helper of Envoy (authorization, rate limits, tracing) behind Services. */
import type { KubeObject } from '@landfall/kube/model'
import { int32, int64, list, object, oneOf, optional, type Shape, text } from '../schema/build.ts'
import { detailedConditions } from '../schema/condition.ts'
import { loadBalancerPolicy, timeoutPolicy } from './route-policies.ts'
import { upstreamValidation } from './service.ts'

const extensionServiceTarget = object({
  name: text('Name of the Service.'),
  port: int32('Port of the Service.', { minimum: 1, maximum: 65535 }),
  weight: optional(int64('Share of the requests.', { minimum: 0, maximum: 4294967295 })),
})

const most = (what: string) => optional(int64(`Most ${what} at a time.`, { minimum: 0, maximum: 4294967295 }))

const circuitBreakerPolicy = object({
  maxConnections: most('connections'),
  maxPendingRequests: most('requests that wait'),
  maxRequests: most('requests'),
  maxRetries: most('retries'),
  perHostMaxConnections: most('connections to each endpoint'),
})

export const extensionServiceSpec = object({
  services: list(extensionServiceTarget, 'Where requests go.', { minItems: 1 }),
  validation: optional(upstreamValidation),
  protocol: optional(oneOf(['h2', 'h2c', 'http/1.1'])),
  loadBalancerPolicy: optional(loadBalancerPolicy),
  timeoutPolicy: optional(timeoutPolicy),
  protocolVersion: optional(oneOf(['v3'])),
  circuitBreakerPolicy: optional(circuitBreakerPolicy),
})
export type ExtensionServiceSpec = Shape<typeof extensionServiceSpec>

export const extensionServiceStatus = object({ conditions: optional(detailedConditions) })
export type ExtensionServiceStatus = Shape<typeof extensionServiceStatus>

export interface ExtensionService extends KubeObject {
  readonly spec: ExtensionServiceSpec
  readonly status?: ExtensionServiceStatus
}
