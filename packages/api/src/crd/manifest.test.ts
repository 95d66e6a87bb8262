import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { metallbResources, projectcontourResources } from './index.ts'
import { crdManifest } from './manifest.ts'
import { structural } from './structural.ts'

const resources = [...metallbResources, ...projectcontourResources]

/** What apiextensions.k8s.io/v1 forbids or does not know in a structural schema. */
const forbidden = new Set(['$ref', 'definitions', 'dependencies', 'deprecated', 'discriminator', 'id'])
for (const word of ['patternProperties', 'readOnly', 'writeOnly', 'const', 'oneOf', 'anyOf'])
  forbidden.add(word)

test.each(resources.map((resource) => [resource.kind, resource] as const))(
  '%s has one stored version, which is the one programs speak, and no conversion',
  (_, resource) => {
    const manifest = JSON.parse(JSON.stringify(crdManifest(resource)))
    const stored = manifest.spec.versions.filter((version: { storage: boolean }) => version.storage)
    expect(stored.map((version: { name: string }) => version.name)).toEqual([resource.version])
    expect(manifest.spec.conversion).toMatchObject({ strategy: 'None' })
    expect(manifest.metadata.name).toBe(`${resource.plural}.${resource.group}`)
  },
)

test.each(resources.map((resource) => [resource.kind, resource] as const))(
  '%s uses only what a structural schema may hold, and is a valid JSON schema',
  (_, resource) => {
    const ajv = new Ajv({ strict: false, formats: { int32: true, int64: true, 'date-time': true } })
    for (const version of resource.versions) {
      for (const part of [version.spec, version.status]) {
        const schema = structural(part)
        expect(keywords(schema).filter((word) => forbidden.has(word))).toEqual([])
        expect(() => ajv.compile(schema)).not.toThrow()
      }
    }
  },
)

test('the same resource gives the same bytes', () => {
  const once = JSON.stringify(resources.map(crdManifest))
  expect(JSON.stringify(resources.map(crdManifest))).toBe(once)
})

test('both versions of BGPPeer accept the same objects, so that none loses a field', () => {
  const peer = resources.find((resource) => resource.kind === 'BGPPeer')
  expect(peer?.versions.map((version) => version.name)).toEqual(['v1beta1', 'v1beta2'])
  const [older, newer] = (peer?.versions ?? []).map((version) => structural(version.spec))
  expect(older).toEqual(newer)
})

function keywords(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(keywords)
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'properties' ? Object.values(value).flatMap(keywords) : [key, ...keywords(value)],
  )
}
