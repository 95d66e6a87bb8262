/** Renewal over virtual time: a cluster whose volumes follow their Secrets late, each at its own pace. */
import { Metrics, silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { makeCertificates } from '../certgen/certificates.ts'
import { fingerprint, type Held, isSignedBy, type Pair } from './material.ts'
import type { NewSet, Replica, Secrets } from './plan.ts'
import { Renewer } from './renewer.ts'

const minuteMs = 60_000

async function makeSet(
  minutes: number,
  now: number,
): Promise<NewSet & { readonly server: Pair; readonly client: Pair }> {
  const set = await makeCertificates({ namespace: 'ns', lifetimeDays: minutes / 1440, now: new Date(now) })
  return { authority: set.ca, server: set.server, client: set.client }
}

function heldOf(authority: string, pair: Pair): Held {
  return { ...pair, authorities: [authority], next: undefined }
}

/** A generator of numbers from 0 up to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

class Model {
  now = Date.UTC(2026, 0, 1)
  secrets: Secrets
  readonly replicas: Held[]
  readonly envoys: { volume: Held; connected: string }[]
  readonly metrics = new Metrics('0')
  readonly warnings: string[] = []
  readonly steps: string[] = []
  forbidden = false
  /** Sets of keys. */
  made = 0
  readonly renewer: Renewer
  readonly #random: () => number

  constructor(
    set: { readonly authority: string; readonly server: Pair; readonly client: Pair },
    seed: number,
  ) {
    this.#random = random(seed)
    this.secrets = {
      server: heldOf(set.authority, set.server),
      client: heldOf(set.authority, set.client),
    }
    this.replicas = [this.secrets.server, this.secrets.server]
    this.envoys = Array.from({ length: 3 }, () => ({
      volume: this.secrets.client,
      connected: this.secrets.client.certificate,
    }))
    this.renewer = new Renewer({
      logger: silentLogger(),
      metrics: this.metrics,
      secrets: {
        read: () => Promise.resolve({ kind: 'held', secrets: this.secrets }),
        mayWrite: () => Promise.resolve(!this.forbidden),
        write: (secrets) => {
          if (this.forbidden) return Promise.resolve('forbidden')
          this.secrets = secrets
          this.steps.push(String(secrets.server.authorities.length))
          return Promise.resolve('written')
        },
      },
      make: (days) => {
        this.made++
        return makeSet(days * 1440, this.now)
      },
      replicas: () => Promise.resolve(['0', '1']),
      probe: ({ address, pair, letGoUnless }) => {
        const answer = this.#answer(Number(address), pair)
        if (letGoUnless !== undefined)
          for (const envoy of this.envoys) envoy.connected = envoy.volume.certificate
        return Promise.resolve(answer)
      },
      shownUntil: () => new Date(this.now + 20 * 24 * 3600 * 1000),
      warn: (message) => this.warnings.push(message),
      now: () => this.now,
      patienceMs: 5000,
    })
  }

  #answer(index: number, pair: Pair): Replica {
    const held = this.replicas[index]
    if (held === undefined) return { trusts: false, shows: undefined, clients: [] }
    const trusts = held.authorities.some((authority) => isSignedBy(pair.certificate, authority))
    const clients = trusts ? this.envoys.map(({ connected }) => fingerprint(connected)) : []
    return { trusts, shows: fingerprint(held.certificate), clients }
  }

  /** A second goes by: some volumes catch up with their Secret. */
  tick(): void {
    this.now += 1000
    for (const index of this.replicas.keys())
      if (this.#random() < 0.1) this.replicas[index] = this.secrets.server
    for (const envoy of this.envoys) if (this.#random() < 0.1) envoy.volume = this.secrets.client
  }

  /** Pairs of which one does not take what the other shows. */
  strangers(): number {
    const takes = (held: Held, certificate: string) =>
      held.authorities.some((authority) => isSignedBy(certificate, authority))
    return this.replicas.flatMap((replica) =>
      this.envoys.filter(
        ({ volume }) => !takes(replica, volume.certificate) || !takes(volume, replica.certificate),
      ),
    ).length
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'certificates of 3 minutes are replaced in time, and everybody knows everybody all the while, seed %i',
  async (seed) => {
    const set = await makeSet(3, Date.UTC(2026, 0, 1))
    const model = new Model(set, seed)
    const old = model.secrets
    let strangers = 0
    for (let second = 0; second < 170 && model.steps.at(-1) !== '1'; second++) {
      await model.renewer.turn()
      strangers += model.strangers()
      model.tick()
      strangers += model.strangers()
    }
    expect(strangers).toBe(0)
    // Both authorities side by side, three times, then one.
    expect(model.steps).toEqual(['2', '2', '2', '1'])
    const { server, client } = model.secrets
    expect([server, client].map(({ next }) => next === undefined)).toEqual([true, true])
    expect(server.authorities).toEqual(client.authorities)
    expect(server.authorities).not.toEqual(old.server.authorities)
    expect(server.certificate).not.toBe(old.server.certificate)
    expect(client.certificate).not.toBe(old.client.certificate)
  },
)

test('without the right to write nothing changes, and in the last 30 days that is said', async () => {
  const model = new Model(await makeSet(3, Date.UTC(2026, 0, 1)), 1)
  model.forbidden = true
  model.now += 2 * minuteMs
  const before = model.secrets
  expect(await model.renewer.turn()).toBe(600_000)
  expect(model.secrets).toBe(before)
  expect(model.made).toBe(0)
  expect(model.warnings).toEqual([expect.stringContaining('are not renewed: the Secrets may not be written')])
  expect(await model.metrics.exposition()).toContain('landfall_xds_certificate_renewal_blocked 1\n')
})

test('half a beginning is begun anew, and what is in use stays trusted', async () => {
  const model = new Model(await makeSet(3, Date.UTC(2026, 0, 1)), 1)
  const stray = await makeSet(3, model.now)
  const [authority = ''] = model.secrets.client.authorities
  model.secrets = {
    ...model.secrets,
    client: { ...model.secrets.client, authorities: [authority, stray.authority], next: stray.client },
  }
  await model.renewer.turn()
  const { server, client } = model.secrets
  expect(server.authorities).toEqual(client.authorities)
  expect(server.authorities).toHaveLength(2)
  expect(server.authorities[0]).toBe(authority)
  expect(server.authorities).not.toContain(stray.authority)
  expect(server.next?.certificate).not.toBe(undefined)
})

test('certificates with time left are left alone, and looked at again when they are due', async () => {
  const model = new Model(await makeSet(60 * 24, Date.UTC(2026, 0, 1)), 1)
  const before = model.secrets
  expect(await model.renewer.turn()).toBe(600_000)
  expect(model.secrets).toBe(before)
})
