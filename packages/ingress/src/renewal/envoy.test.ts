/** Renewal of certificates of 3 minutes between a real server and a real Envoy, over files as a Secret's volume has them. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, describe, expect, test } from 'vitest'
import { makeCertificates } from '../certgen/certificates.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { answer, httpListener, scope } from '../xds/real-envoy/resources.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { fingerprint, splitPem } from './material.ts'
import type { Secrets } from './plan.ts'
import { probe } from './probe.ts'
import { Renewer } from './renewer.ts'

const minutes = 3 / 1440
/** The certificates are due 5 s after they are made. */
const ahead = 45_000

describe.skipIf(withoutEnvoy())('with a real Envoy', { timeout: 60_000 }, () => {
  const stand = new Stand()
  afterEach(() => stand.close())

  /** As the kubelet does: each file by renaming. */
  async function mount({ server, client }: Secrets): Promise<void> {
    const files = {
      'ca.crt': server.authorities.join(''),
      'server.key': server.key,
      'server.crt': server.certificate,
      'tls.key': client.key,
      'tls.crt': client.certificate,
    }
    for (const [name, text] of Object.entries(files)) {
      const path = join(stand.directory, name)
      await writeFile(`${path}.new`, text)
      await rename(`${path}.new`, path)
    }
  }

  test('both ends have new certificates of a new authority, without a restart and without a request lost', async () => {
    await stand.open()
    const set = await makeCertificates({ namespace: 'projectcontour', lifetimeDays: minutes })
    await stand.writeCertificates(set)
    await stand.server.reloadCertificates()
    const envoy = await stand.startEnvoy()
    const publish = (body: string) =>
      stand.publish({
        listeners: [httpListener(stand.httpPort)],
        scopes: [scope('http/a.test', answer(body))],
      })
    publish('before')
    await eventually('the port opens', () => stand.http('a.test'))
    const held = (pair: typeof set.server) => ({
      ...pair,
      authorities: [...splitPem(set.ca)],
      next: undefined,
    })
    let secrets: Secrets = { server: held(set.server), client: held(set.client) }
    const old = secrets
    const written: number[] = []
    const renewer = new Renewer({
      logger: silentLogger(),
      metrics: stand.metrics,
      secrets: {
        read: () => Promise.resolve({ kind: 'held', secrets }),
        mayWrite: () => Promise.resolve(true),
        write: async (wanted) => {
          secrets = wanted
          written.push(wanted.server.authorities.length)
          await mount(wanted)
          return 'written'
        },
      },
      make: async (lifetimeDays) => {
        const made = await makeCertificates({ namespace: 'projectcontour', lifetimeDays: lifetimeDays * 100 })
        return { authority: made.ca, server: made.server, client: made.client }
      },
      replicas: () => Promise.resolve([`127.0.0.1:${stand.xdsPort}`]),
      probe,
      shownUntil: () => undefined,
      warn: () => undefined,
      now: () => Date.now() + ahead,
      patienceMs: 1500,
    })
    const answers = new Set<number | undefined>()
    const done = new AbortController()
    const traffic = (async () => {
      while (!done.signal.aborted) {
        answers.add((await stand.http('a.test'))?.status)
        await delay(5)
      }
    })()
    await eventually('the old authority is gone', async () => {
      await renewer.turn()
      return written.at(-1) === 1 ? true : undefined
    })
    done.abort()
    await traffic
    expect([...answers]).toEqual([200])
    expect(written).toEqual([2, 2, 2, 1])
    expect(secrets.server.authorities).not.toEqual(old.server.authorities)

    publish('after')
    await eventually('Envoy still follows', async () =>
      (await stand.http('a.test'))?.body === 'after' ? true : undefined,
    )
    await stand.server.reloadCertificates()
    const seen = await probe({
      address: `127.0.0.1:${stand.xdsPort}`,
      authorities: secrets.server.authorities,
      pair: secrets.client,
    })
    expect(seen).toEqual({
      trusts: true,
      shows: fingerprint(secrets.server.certificate),
      clients: [fingerprint(secrets.client.certificate)],
    })
    const stranger = await probe({
      address: `127.0.0.1:${stand.xdsPort}`,
      authorities: secrets.server.authorities,
      pair: old.client,
    })
    expect(stranger.trusts).toBe(false)
    expect(await envoy.stat('server.hot_restart_epoch')).toBe(0)
  })
})
