/** The sentence that Landfall exists for: apply, define an Ingress or HTTPProxy, curl the external IP. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CurlError } from '../lab/index.ts'
import { makeAuthority } from './certificate.ts'
import {
  echo,
  envoyAddresses,
  ingress,
  ingressRule,
  namespaceObject,
  type ProxyObject,
  proxy,
  scenarioLab,
  urlOf,
} from './site.ts'

const lab = scenarioLab()
const namespace = 'path'
/** curl's exit code. */
const refused = 7

describe('the path from a Service to an answer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-path-'))
  let addresses: readonly string[] = []

  beforeAll(async () => {
    const { ipv4, ipv6 } = await envoyAddresses(lab)
    addresses = [ipv4, ipv6]
    await lab.apply([namespaceObject(namespace), ...echo(namespace, 'tea'), ...echo(namespace, 'coffee')])
  })

  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await lab.kubectl(['delete', 'namespace', namespace])
  })

  it('gives Envoy an address of each family, and ports refuse before a virtual host needs them', async () => {
    expect(addresses).toEqual([
      expect.stringMatching(/^192\.168\.77\.2/),
      expect.stringMatching(/^fd00:77::2/),
    ])
    // Refused, and not merely without an answer: the address is announced, and a virtual host of another scenario
    // is gone.
    for (const address of addresses)
      for (const scheme of ['http', 'https'] as const)
        await expect.poll(() => exitCode(address, scheme), { timeout: 30_000 }).toBe(refused)
  })

  it('serves an Ingress and an HTTPProxy over IPv4 and IPv6, and 443 still refuses', async () => {
    await lab.apply([
      ingress(namespace, 'tea', { rules: [ingressRule('tea.example.com', 'tea')] }),
      proxy(namespace, 'coffee', {
        virtualhost: { fqdn: 'coffee.example.com' },
        routes: [{ conditions: [{ prefix: '/' }], services: [{ name: 'coffee', port: 80 }] }],
      }),
    ])
    for (const address of addresses) {
      for (const name of ['tea', 'coffee']) {
        const answer = await answers(name, address)
        expect(answer.body).toContain(`Hostname: ${name}-`)
      }
      expect(await exitCode(address, 'https')).toBe(refused)
    }
  })

  it('answers 404 to a host that nobody has', async () => {
    expect((await lab.client.curl(urlOf(addresses[0] ?? ''), { host: 'nobody.example.com' })).status).toBe(
      404,
    )
  })

  it('serves HTTPS with the certificate of the Secret, verified', async () => {
    const authority = await makeAuthority()
    const cacert = join(folder, 'ca.crt')
    writeFileSync(cacert, authority.pem)
    await lab.apply([
      await authority.issue(namespace, 'secure', 'secure.example.com'),
      proxy(namespace, 'secure', {
        virtualhost: { fqdn: 'secure.example.com', tls: { secretName: 'secure' } },
        routes: [{ services: [{ name: 'tea', port: 80 }] }],
      }),
    ])
    for (const address of addresses) {
      const answer = await lab.waitFor(`HTTPS at ${address}`, async () => {
        const url = 'https://secure.example.com/'
        const answered = await lab.client.curl(url, { resolve: address, cacert })
        return answered.status === 200 && answered
      })
      expect(answer.body).toContain('Hostname: tea-')
      const plain = async () => {
        const { status, headers } = await lab.client.curl(urlOf(address), { host: 'secure.example.com' })
        return [status, headers['location']]
      }
      await expect.poll(plain).toEqual([301, ['https://secure.example.com/']])
    }
  })

  it('writes Valid and the address of Envoy into status', async () => {
    const seen = await lab.waitFor('the status of HTTPProxy coffee', async () => {
      const object = await lab.get<ProxyObject>('httpproxy', 'coffee', namespace)
      return object?.status?.loadBalancer?.ingress !== undefined && object.status
    })
    expect(seen.currentStatus).toBe('valid')
    expect(seen.loadBalancer?.ingress?.map(({ ip }) => ip)).toEqual(addresses)
    const ofIngress = async () =>
      (await lab.get<ProxyObject>('ingress', 'tea', namespace))?.status?.loadBalancer?.ingress
    await expect.poll(async () => (await ofIngress())?.map(({ ip }) => ip)).toEqual(addresses)
  })

  function exitCode(address: string, scheme: 'http' | 'https'): Promise<number> {
    return lab.client.curl(urlOf(address, scheme)).then(
      () => 0,
      (error: CurlError) => error.exitCode,
    )
  }

  function answers(name: string, address: string) {
    return lab.waitFor(`${name}.example.com at ${address}`, async () => {
      const answer = await lab.client.curl(urlOf(address), { host: `${name}.example.com`, timeoutMs: 2000 })
      return answer.status === 200 && answer
    })
  }
})
