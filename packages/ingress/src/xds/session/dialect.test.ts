import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { expect, test } from 'vitest'
import { typeUrls } from '../resource.ts'
import { DeltaDialect, FullDialect } from './dialect.ts'
import { Hub } from './hub.ts'
import type { TableTaken } from './refusals.ts'
import { resource, snapshot } from './script.ts'

const table = resource('table', '1')
const typeUrl = typeUrls.routes

/** A hub, and what it hears of tables that Envoys hold. */
function stand() {
  const tables: TableTaken[] = []
  const hub = new Hub({ onRefused: () => {}, onCleared: () => {}, onTable: (one) => tables.push(one) })
  hub.publish(snapshot({ routes: [table] }))
  const client = hub.connect({ id: 'envoy', build: '1.40.0' })
  return { hub, client, tables }
}

test('what an Envoy comes with it has taken: delta', () => {
  const { hub, client, tables } = stand()
  const request: MessageInitShape<typeof DeltaDiscoveryRequestSchema> = {
    typeUrl,
    resourceNamesSubscribe: ['table'],
    initialResourceVersions: { table: table.version },
  }
  const dialect = new DeltaDialect()
  dialect.decode(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request)))
  dialect.take(hub, client, 'routes')
  expect(tables).toMatchObject([{ name: 'table', version: table.version, build: '1.40.0' }])
})

test('what an Envoy comes with it has taken: the state of the world', () => {
  const before = stand()
  const first = new FullDialect('separate')
  const ask = (versionInfo: string) =>
    toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { typeUrl, resourceNames: ['table'], versionInfo }),
    )
  first.decode(ask(''))
  first.take(before.hub, before.client, 'routes')
  expect(before.tables).toEqual([])
  const [outgoing] = before.client.next(0)
  const bytes = outgoing && first.encode(outgoing)
  const { versionInfo } = fromBinary(DiscoveryResponseSchema, bytes ?? new Uint8Array())
  const { hub, client, tables } = stand()
  const dialect = new FullDialect('separate')
  dialect.decode(ask(versionInfo))
  dialect.take(hub, client, 'routes')
  expect(tables).toMatchObject([{ name: 'table', version: table.version, build: '1.40.0' }])
})
