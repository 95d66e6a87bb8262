/** The validating webhooks of MetalLB's manifests, which refuse everything while nobody answers, and their Service. */
import type { Manifest } from '../lab/index.ts'
import { system } from './objects.ts'

const hooks = [
  ['bgppeer', 'bgppeers', 'v1beta2', 'UPDATE'],
  ['bfdprofile', 'bfdprofiles', 'v1beta1', 'DELETE'],
  ['bgpadvertisement', 'bgpadvertisements', 'v1beta1', 'UPDATE'],
  ['community', 'communities', 'v1beta1', 'UPDATE'],
  ['ipaddresspool', 'ipaddresspools', 'v1beta1', 'UPDATE'],
  ['l2advertisement', 'l2advertisements', 'v1beta1', 'UPDATE'],
] as const

/** @param name of the Service; v0.13 had `webhook-service` */
export function webhooks(name = 'metallb-webhook-service'): readonly Manifest[] {
  const service = { namespace: system, name }
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: service,
      spec: {
        selector: { component: 'controller' },
        ports: [{ port: 443, targetPort: 9443 }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'metallb-webhook-configuration' },
      webhooks: hooks.map(([kind, plural, version, second]) => ({
        name: `${kind}${kind === 'bgppeer' ? 's' : ''}validationwebhook.metallb.io`,
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { ...service, path: `/validate-metallb-io-${version}-${kind}` } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        rules: [
          {
            apiGroups: ['metallb.io'],
            apiVersions: [version],
            operations: ['CREATE', second],
            resources: [plural],
          },
        ],
      })),
    },
  ]
}
