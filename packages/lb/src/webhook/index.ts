/** The webhooks that manifests of MetalLB register. */
export { filesIn, secretOf } from './certificate.ts'
export { Webhooks, type WebhooksOptions } from './webhooks.ts'
