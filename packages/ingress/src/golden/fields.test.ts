/** Every field that the schemas have, each word that it may be, and every annotation stands in a golden case. */
import { readdirSync, readFileSync } from 'node:fs'
import { projectcontourResources } from '@landfall/api/crd'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Schema } from './random-values.ts'

const folder = new URL('./testdata/', import.meta.url)
const texts = readdirSync(folder)
  .filter((file) => /^[^.]+\.yaml$/.test(file))
  .map((file) => readFileSync(new URL(file, folder), 'utf8'))
const objects = texts.flatMap((text) =>
  parseAllDocuments(text).map((document): { readonly kind?: string; readonly spec?: unknown } =>
    document.toJS(),
  ),
)

const kinds = ['HTTPProxy', 'ExtensionService', 'TLSCertificateDelegation']

function schemaOf(kind: string): Schema {
  const resource = projectcontourResources.find((one) => one.kind === kind)
  const version = resource?.versions.find(({ name }) => name === resource.version)
  if (version === undefined) throw new Error(`no such kind: ${kind}`)
  return version.spec
}

/** Paths of all leaves, one for each word of a field that has words. */
function leavesOf({ type, items, properties = {}, enum: words }: Schema, path: string): readonly string[] {
  if (type === 'array') return leavesOf(items ?? {}, path)
  if (words !== undefined) return words.map((word) => `${path}: ${JSON.stringify(word)}`)
  const inner = Object.entries(properties)
  return inner.length === 0 ? [path] : inner.flatMap(([name, one]) => leavesOf(one, `${path}.${name}`))
}

function givenIn(value: unknown, schema: Schema | undefined, path: string): readonly string[] {
  if (schema === undefined || value === undefined) return []
  if (Array.isArray(value)) return value.flatMap((item) => givenIn(item, schema.items, path))
  if (schema.enum !== undefined) return [`${path}: ${JSON.stringify(value)}`]
  const { properties = {} } = schema
  if (typeof value !== 'object' || value === null || Object.keys(properties).length === 0) return [path]
  return Object.entries(value).flatMap(([name, inner]) => givenIn(inner, properties[name], `${path}.${name}`))
}

test.each(kinds)('every field of %s', (kind) => {
  const all = leavesOf(schemaOf(kind), kind)
  const given = new Set(
    objects.flatMap((object) => (object.kind === kind ? givenIn(object.spec, schemaOf(kind), kind) : [])),
  )
  expect(all.filter((one) => !given.has(one))).toEqual([])
})

const annotations = [
  'ingress.kubernetes.io/force-ssl-redirect',
  'kubernetes.io/ingress.allow-http',
  'kubernetes.io/ingress.class',
  ...[
    'ingress.class',
    'num-retries',
    'per-try-timeout',
    'request-timeout',
    'response-timeout',
    'retry-on',
    'tls-cert-namespace',
    'tls-maximum-protocol-version',
    'tls-minimum-protocol-version',
    'websocket-routes',
    'max-connections',
    'max-pending-requests',
    'max-requests',
    'max-retries',
    'per-host-max-connections',
    'upstream-protocol.h2',
    'upstream-protocol.h2c',
    'upstream-protocol.tls',
  ].map((name) => `projectcontour.io/${name}`),
]

test.each(annotations)('annotation %s', (name) => {
  expect(
    texts.filter((text) => text.includes(`${name}:`) || text.includes(`${name}':`)).length,
  ).toBeGreaterThan(0)
})

test.each(['kubernetes.io/h2c', 'kubernetes.io/ws', 'https', 'http'])('appProtocol %s', (word) => {
  expect(texts.filter((text) => text.includes(`appProtocol: ${word}`)).length).toBeGreaterThan(0)
})
