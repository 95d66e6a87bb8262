/** The validating webhooks of MetalLB's manifests, which refuse everything while nobody answers, and their Service. */
import type { Manifest } from '../lab/index.ts'
import { system } from './objects.ts'

const service = { namespace: system, name: 'metallb-webhook-service' }

const hooks = [
  ['bgppeer', 'bgppeers', 'v1beta2', 'UPDATE'],
  ['bfdprofile', 'bfdprofiles', 'v1beta1', 'DELETE'],
  ['bgpadvertisement', 'bgpadvertisements', 'v1beta1', 'UPDATE'],
  ['community', 'communities', 'v1beta1', 'UPDATE'],
  ['ipaddresspool', 'ipaddresspools', 'v1beta1', 'UPDATE'],
  ['l2advertisement', 'l2advertisements', 'v1beta1', 'UPDATE'],
] as const

export function webhooks(): readonly Manifest[] {
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
      webhooks: hooks.map(([name, plural, version, second]) => ({
        name: `${name}${name === 'bgppeer' ? 's' : ''}validationwebhook.metallb.io`,
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { ...service, path: `/validate-metallb-io-${version}-${name}` } },
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
