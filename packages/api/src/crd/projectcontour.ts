/** The definitions of the projectcontour.io kinds. */
import * as identity from '../identity.ts'
import {
  contourConfigurationSpec,
  contourConfigurationStatus,
} from '../projectcontour/contour-configuration.ts'
import { extensionServiceSpec, extensionServiceStatus } from '../projectcontour/extension-service.ts'
import { httpProxySpec, httpProxyStatus } from '../projectcontour/http-proxy.ts'
import {
  tlsCertificateDelegationSpec,
  tlsCertificateDelegationStatus,
} from '../projectcontour/tls-certificate-delegation.ts'
import { type CustomResource, column } from './definition.ts'

const httpProxy: CustomResource = {
  ...identity.httpProxy,
  singular: 'httpproxy',
  shortNames: ['proxy', 'proxies'],
  description: 'Routes of HTTP and TCP traffic for a virtual host, or a part of them.',
  versions: [
    {
      name: 'v1',
      spec: httpProxySpec,
      specRequired: true,
      status: httpProxyStatus,
      statusDefault: { currentStatus: 'NotReconciled', description: 'Waiting for controller' },
      printerColumns: [
        column('FQDN', '.spec.virtualhost.fqdn'),
        column('TLS Secret', '.spec.virtualhost.tls.secretName'),
        column('Status', '.status.currentStatus'),
        column('Status Description', '.status.description'),
      ],
    },
  ],
}

const tlsCertificateDelegation: CustomResource = {
  ...identity.tlsCertificateDelegation,
  singular: 'tlscertificatedelegation',
  shortNames: ['tlscerts'],
  description: 'Lets other namespaces use a Secret of this one.',
  versions: [
    {
      name: 'v1',
      spec: tlsCertificateDelegationSpec,
      specRequired: true,
      status: tlsCertificateDelegationStatus,
      printerColumns: [],
    },
  ],
}

const contourConfiguration: CustomResource = {
  ...identity.contourConfiguration,
  singular: 'contourconfiguration',
  shortNames: ['contourconfig'],
  description: 'How the control plane of Envoy is configured.',
  versions: [
    {
      name: 'v1alpha1',
      spec: contourConfigurationSpec,
      specRequired: true,
      status: contourConfigurationStatus,
      printerColumns: [],
    },
  ],
}

const extensionService: CustomResource = {
  ...identity.extensionService,
  singular: 'extensionservice',
  shortNames: ['extensionservice', 'extensionservices'],
  description: 'A service that Envoy itself asks: for authorization or rate limits.',
  versions: [
    {
      name: 'v1alpha1',
      spec: extensionServiceSpec,
      specRequired: true,
      status: extensionServiceStatus,
      printerColumns: [],
    },
  ],
}

export const projectcontourResources: readonly CustomResource[] = [
  contourConfiguration,
  extensionService,
  httpProxy,
  tlsCertificateDelegation,
]
