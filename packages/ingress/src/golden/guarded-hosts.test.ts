/** What a chain that checks clients serves, no wildcard beside it serves to anybody, also where a real Envoy is behind with its listeners. */
import { makeAuthority, makeLeaf, validFor } from '@landfall/certificates'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import {
  Backend,
  Client,
  pem,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

describe.skipIf(withoutEnvoy())('a real Envoy', () => {
  const stand = new Stand()
  const backend = new Backend('one')
  const to = 'routes: [{services: [{name: one, port: 80}]}]'
  const checked = ', tls: {secretName: wild, clientValidation: {caSecret: ca}}'
  const wildcard = (text: string) => text.replace('fqdn: x.test', "fqdn: '*.x.test'")
  let open: string

  beforeAll(async () => {
    await Promise.all([stand.open(), backend.open()])
    const authority = await makeAuthority('CN=test', 'ecdsa-p256', validFor(1))
    const names = ['*.test', '*.x.test']
    const { certificate, key } = await makeLeaf(authority, { subject: 'CN=leaf', names, usage: 'server' })
    open = [
      serviceObjects('one', [{ http: backend.port }]),
      secretObject('wild', { 'tls.crt': certificate, 'tls.key': key }),
      secretObject('ca', { 'ca.crt': pem('ca.pem') }),
      proxyObject('open', to, ', tls: {secretName: wild}'),
    ].join('')
    await stand.startEnvoy()
    await publish(open)
    await eventually('the port opens', () => stand.https('open.test'))
  }, 60_000)

  afterAll(async () => {
    await stand.close()
    backend.close()
  })

  /** @param listeners those of other objects */
  async function publish(text: string, listeners = text): Promise<void> {
    stand.publishEach((layout) => ({
      ...translateFor(stand, text, layout),
      listeners: translateFor(stand, listeners, layout).listeners,
    }))
    await eventually('settled', () => settled(stand))
  }

  const status = async (name: string) => (await stand.https(name))?.status

  test.each([
    { about: 'a host', name: 'strict.test', guarded: proxyObject('strict', to, checked) },
    { about: 'a wildcard host', name: 'any.x.test', guarded: wildcard(proxyObject('x', to, checked)) },
  ])('$about that checks clients is never on the chain of others', async ({ name, guarded }) => {
    expect(await status(name)).toBe(404)
    await publish(open + guarded, open)
    await eventually('the routes are there', async () => ((await status(name)) === 421 ? true : undefined))
    await publish(open + guarded)
    await eventually('the chain is there', async () =>
      (await status(name)) === undefined ? true : undefined,
    )
    expect(await status('open.test')).toBe(200)
    await publish(open + guarded, open)
    await eventually('the chain is gone', async () => ((await status(name)) === 421 ? true : undefined))
    await publish(open)
    await eventually('the routes are gone', async () => ((await status(name)) === 404 ? true : undefined))
    expect(backend.seen.every(({ headers }) => headers.host === 'open.test')).toBe(true)
    expect(stand.refused).toEqual([])
  })

  test('who is connected when a host begins to check clients has to come again', async () => {
    const client = new Client(stand.httpsPort, 'tls')
    const host = (more: string) => proxyObject('other', to, more)
    await publish(open + host(', tls: {secretName: wild}'))
    await eventually('served', async () => ((await status('other.test')) === 200 ? true : undefined))
    expect((await client.send('other.test')).status).toBe(200)
    await publish(open + host(checked))
    await eventually('checked', async () =>
      (await client.send('other.test')).status === 421 ? true : undefined,
    )
    client.close()
  })
})
