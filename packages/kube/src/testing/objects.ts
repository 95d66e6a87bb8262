/** Objects that tests create on a real API server. */
import { customType, type RawObject, type ResourceType } from '../resource.ts'

export function configMapObject(name: string, data: Readonly<Record<string, string>> = {}): RawObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name }, data }
}

export function serviceObject(name: string): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name, labels: { keep: 'me' } },
    spec: { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 'http' }], selector: { app: name } },
  }
}

const gadget = { group: 'test.landfall', version: 'v1', kind: 'Gadget', plural: 'gadgets', namespaced: true }

export const gadgetType: ResourceType = customType(gadget)

/** Its status knows one field, `known`. */
export const gadgetDefinition: object = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${gadget.plural}.${gadget.group}` },
  spec: {
    group: gadget.group,
    scope: 'Namespaced',
    names: { kind: gadget.kind, plural: gadget.plural, singular: 'gadget' },
    versions: [
      {
        name: gadget.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: { type: 'object', required: ['size'], properties: { size: { type: 'integer' } } },
              status: { type: 'object', properties: { known: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
}

export function gadgetObject(name: string): RawObject {
  return {
    apiVersion: gadgetType.apiVersion,
    kind: gadgetType.kind,
    metadata: { namespace: 'default', name },
    spec: { size: 1 },
  }
}
