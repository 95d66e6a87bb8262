/** Certificates that a real Envoy fetches at the handshake that needs them, and what a host more or less does to others. */
import { makeAuthority, makeLeaf, validFor } from '@landfall/certificates'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultDagOptions } from '../dag/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import {
  Backend,
  Client,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

type Certificates = 'chains' | 'on-demand'

async function pairFor(...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const authority = await makeAuthority('CN=test', 'ecdsa-p256', validFor(1))
  const { certificate, key } = await makeLeaf(authority, { subject: 'CN=leaf', names, usage: 'server' })
  return { 'tls.crt': certificate, 'tls.key': key }
}

const to = 'routes: [{services: [{name: one, port: 80}]}]'
const host = (name: string, secret: string, more = '') =>
  proxyObject(name, to, `, tls: {secretName: ${secret}${more}}`)

describe.skipIf(withoutEnvoy()).each<Certificates>(['chains', 'on-demand'])(
  'a real Envoy with certificates by way of %s',
  (certificates) => {
    const stand = new Stand()
    const backend = new Backend('one')
    let objects: Map<string, string>

    async function publish(): Promise<void> {
      const text = [...objects.values()].join('')
      const dag = { ...defaultDagOptions, certificates, fallbackCertificate: 'web/shared' }
      stand.publishEach((layout) => translateFor(stand, text, layout, { dag }))
      await eventually('settled', () => settled(stand))
    }

    const shown = async (name: string) => (await stand.https(name))?.fingerprint
    const status = async (name: string) => (await stand.https(name))?.status

    beforeAll(async () => {
      await Promise.all([stand.open(), backend.open()])
      const [a, b, shared] = await Promise.all([
        pairFor('a.test'),
        pairFor('b.test'),
        pairFor('*.test', 'test'),
      ])
      objects = new Map([
        ['service', serviceObjects('one', [{ http: backend.port }])],
        ['secret a', secretObject('a', a)],
        ['secret b', secretObject('b', b)],
        ['secret shared', secretObject('shared', shared)],
        ['a', host('a', 'a')],
        ['b', host('b', 'b')],
        ['c', host('c', 'shared')],
        ['old', host('old', 'shared', ', minimumProtocolVersion: "1.3"')],
      ])
      await stand.startEnvoy()
      await publish()
      await eventually('the port opens', () => stand.https('c.test'))
    }, 60_000)

    afterAll(async () => {
      await stand.close()
      backend.close()
    })

    test('each host shows its own certificate, however the client writes its name', async () => {
      expect(stand.refused).toEqual([])
      expect(await status('a.test')).toBe(200)
      expect(await status('b.test')).toBe(200)
      expect(await status('old.test')).toBe(200)
      const prints = await Promise.all(['a.test', 'A.Test', 'b.test', 'c.test'].map(shown))
      expect(prints[1]).toBe(prints[0])
      expect(new Set(prints).size).toBe(3)
      // The wildcard of a certificate in use has it; nothing else has the others.
      expect(await shown('unknown.test')).toBe(prints[3])
      expect(await status('unknown.test')).toBe(404)
      expect(await shown('unknown.elsewhere')).toBeUndefined()
      expect(await shown('')).toBeUndefined()
    })

    test('a host more or less closes no connection of others', async () => {
      const client = new Client(stand.httpsPort, 'tls')
      const stat = (name: string) => stand.envoy?.stat(`listener_manager.${name}`)
      const draining = await stat('total_listeners_draining')
      const replaced = async () =>
        Number(await stat('listener_modified')) - Number(await stat('listener_in_place_updated'))
      const before = await replaced()
      expect((await client.send('c.test')).status).toBe(200)
      objects.set('d', host('d', 'shared'))
      objects.set('secret e', secretObject('e', await pairFor('e.test')))
      await publish()
      await eventually('the host is served', async () =>
        (await status('d.test')) === 200 ? true : undefined,
      )
      objects.delete('d')
      objects.set('e', host('e', 'e'))
      await publish()
      await eventually('the other host', async () => ((await status('e.test')) === 200 ? true : undefined))
      objects.delete('e')
      await publish()
      await eventually('it is gone', async () => ((await status('e.test')) === 404 ? true : undefined))
      const { headers } = await client.send('c.test')
      client.close()
      expect(headers.connection).not.toBe('close')
      expect(await stat('total_listeners_draining')).toBe(draining)
      expect(await replaced()).toBe(before)
      const chains = await stat('total_filter_chains_draining')
      // A chain of its own ends with its host.
      expect(chains).toBe(certificates === 'chains' ? 1 : 0)
    })

    test('a rotated certificate is shown by the next handshake, also under another spelling', async () => {
      const before = await shown('A.Test')
      objects.set('secret a', secretObject('a', await pairFor('a.test')))
      await publish()
      const now = await eventually('the new one', async () => {
        const print = await shown('A.Test')
        return print === before ? undefined : print
      })
      expect(await shown('a.test')).toBe(now)
    })

    test('a wildcard host takes no connection of the hosts below it', async () => {
      const own = await shown('a.test')
      objects.set('wild', host('wild', 'shared').replace('fqdn: wild.test', "fqdn: '*.test'"))
      await publish()
      await eventually('the wildcard', async () => ((await status('x.test')) === 200 ? true : undefined))
      expect(await shown('x.test')).not.toBe(own)
      expect(await shown('a.test')).toBe(own)
      objects.delete('wild')
      await publish()
      await eventually('it is gone', async () => ((await status('x.test')) === 404 ? true : undefined))
      expect(await shown('a.test')).toBe(own)
    })

    test('who names no host of ours gets the fallback certificate, if a host wants that', async () => {
      const fallback = await shown('c.test')
      objects.set('f', host('f', 'shared', ', enableFallbackCertificate: true'))
      await publish()
      await eventually('the chain', async () =>
        (await shown('unknown.test')) === fallback ? true : undefined,
      )
      expect(await shown('a.test')).not.toBe(fallback)
      expect(await status('a.test')).toBe(200)
    })
  },
)
