/**
 * CustomResource → its CustomResourceDefinition (apiextensions.k8s.io/v1), the same bytes each time.
 */
import type { CustomResource, CustomResourceVersion } from './definition.ts'
import { type Json, structural } from './structural.ts'

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1'
  readonly kind: 'CustomResourceDefinition'
  readonly metadata: { readonly name: string }
  readonly spec: { readonly [key: string]: Json }
}

export function crdManifest(resource: CustomResource): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource.plural}.${resource.group}` },
    spec: {
      // The null takes away a webhook that another has put there, whatever made it: only an apply on the server keeps it.
      conversion: { strategy: 'None', ...(resource.versions.length > 1 ? { webhook: null } : {}) },
      group: resource.group,
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
        singular: resource.singular,
      },
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      versions: resource.versions.map((version) => versionManifest(resource, version)),
    },
  }
}

function versionManifest(resource: CustomResource, version: CustomResourceVersion): Json {
  const columns = version.printerColumns.map((column) => ({
    ...(column.description === undefined ? {} : { description: column.description }),
    jsonPath: column.jsonPath,
    name: column.name,
    ...(column.priority === undefined ? {} : { priority: column.priority }),
    type: column.type,
  }))
  return {
    ...(columns.length === 0 ? {} : { additionalPrinterColumns: columns }),
    ...(version.deprecationWarning === undefined
      ? {}
      : { deprecated: true, deprecationWarning: version.deprecationWarning }),
    name: version.name,
    schema: { openAPIV3Schema: objectSchema(resource, version) },
    served: true,
    storage: version.name === resource.version,
    subresources: { status: {} },
  }
}

function objectSchema(resource: CustomResource, version: CustomResourceVersion): Json {
  const status = structural(version.status)
  return {
    description: resource.description,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structural(version.spec),
      status: version.statusDefault === undefined ? status : { default: version.statusDefault, ...status },
    },
    ...(version.specRequired ? { required: ['spec'] } : {}),
    type: 'object',
  }
}
