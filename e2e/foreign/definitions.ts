/**
 * The definitions of the metallb.io kinds as MetalLB's own manifests shape them: ours without what MetalLB does not
 * have (conditions in the status of configuration; later fields in BGPPeer v1beta1), and with its conversion webhook.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from '../lab/index.ts'
import { system } from './objects.ts'

const manifest = join(import.meta.dirname, '..', '..', 'manifests', 'metallb.yaml')

const configuration = [
  'BFDProfile',
  'BGPAdvertisement',
  'BGPPeer',
  'Community',
  'IPAddressPool',
  'L2Advertisement',
]

/** What BGPPeer v1beta1 lacks. */
const later = [
  'connectTime',
  'disableMP',
  'dualStackAddressFamily',
  'dynamicASN',
  'enableGracefulRestart',
  'interface',
  'localASN',
  'passwordSecret',
  'vrf',
]

type Fields = Record<string, unknown>

/** @param authority PEM that stands in the caBundle until somebody writes the right one: it must be a certificate */
export function definitions(authority: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(manifest, 'utf8'))
    .map((document): Fields => document.toJS())
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map((definition) => foreign(definition, authority))
}

function foreign(definition: Fields, authority: string): Manifest {
  const spec = at(definition, 'spec')
  const kind = at(spec, 'names')['kind']
  delete spec['conversion']
  if (kind === 'BGPPeer') spec['conversion'] = conversion(authority)
  const versions = spec['versions']
  for (const version of Array.isArray(versions) ? versions.map(fields) : []) {
    const properties = at(version, 'schema', 'openAPIV3Schema', 'properties')
    if (typeof kind === 'string' && configuration.includes(kind)) {
      const status = at(properties, 'status')
      delete at(status, 'properties')['conditions']
    }
    if (kind === 'BGPPeer' && version['name'] === 'v1beta1') withoutLater(at(properties, 'spec'))
  }
  return definition
}

function withoutLater(spec: Fields): void {
  delete spec['x-kubernetes-validations']
  for (const name of later) delete at(spec, 'properties')[name]
}

function conversion(authority: string): object {
  return {
    strategy: 'Webhook',
    webhook: {
      conversionReviewVersions: ['v1beta1', 'v1beta2'],
      clientConfig: {
        caBundle: Buffer.from(authority).toString('base64'),
        service: { namespace: system, name: 'metallb-webhook-service', path: '/convert' },
      },
    },
  }
}

function at(value: Fields, ...path: readonly string[]): Fields {
  return path.reduce((inner, name) => fields(inner[name]), value)
}

/** The same object, so that what is deleted from it is gone. */
function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
