/**
 * The certificates between Envoys and the control plane are replaced by a set of a new authority, in steps that leave
 * every pair of them able to talk at any time:
 *   begin   both Secrets trust the new authority beside the old; the new pairs wait in them
 *   client  once every replica trusts it, Envoys get their new certificate, and with it trust in the new authority
 *   server  once every Envoy shows that, the control plane gets its own
 *   finish  once every replica shows that, the old authority goes
 * What is to be done follows from the Secrets and from what is seen; nothing is remembered, so any replica can go on.
 */
import { fingerprint, type Held, isSignedBy, type Life, lifeOf } from './material.ts'

export interface Secrets {
  /** `contourcert`. */
  readonly server: Held
  /** `envoycert`. */
  readonly client: Held
}

/** What a replica answered to a client with the newest certificate; fingerprints. */
export interface Replica {
  /** It took the client's certificate. */
  readonly trusts: boolean
  readonly shows: string | undefined
  /** Of the Envoys that follow it. */
  readonly clients: readonly string[]
}

export type Step =
  | { readonly kind: 'idle'; readonly dueAt: number }
  | { readonly kind: 'begin'; readonly keep: readonly string[] }
  /** `next` is what to write once what `waiting` says is so. */
  | { readonly kind: 'move'; readonly to: 'client' | 'server' | 'finish'; readonly next: Secrets }

const dueShare = 2 / 3

export function step(secrets: Secrets, now: number): Step {
  const { server, client } = secrets
  const newest = server.authorities.at(-1) ?? ''
  const same = newest === client.authorities.at(-1)
  const fresh = (held: Held): boolean => isSignedBy(held.certificate, newest)
  const waits = (held: Held): boolean => held.next !== undefined && isSignedBy(held.next.certificate, newest)
  if (same && waits(server) && waits(client)) {
    return { kind: 'move', to: 'client', next: { server, client: shown(client) } }
  }
  if (same && waits(server) && client.next === undefined && fresh(client)) {
    return { kind: 'move', to: 'server', next: { server: shown(server), client } }
  }
  const isSettled = same && server.next === undefined && client.next === undefined
  if (isSettled && fresh(server) && fresh(client)) {
    const many = server.authorities.length + client.authorities.length > 2
    const only = (held: Held): Held => ({ ...held, authorities: [newest] })
    if (many) return { kind: 'move', to: 'finish', next: { server: only(server), client: only(client) } }
    const dueAt = Math.min(...[server, client].map(({ certificate }) => dueOf(lifeOf(certificate))))
    if (now < dueAt) return { kind: 'idle', dueAt }
  }
  return { kind: 'begin', keep: inUse(secrets) }
}

function dueOf({ from, to }: Life): number {
  return from + (to - from) * dueShare
}

function shown(held: Held): Held {
  return held.next === undefined ? held : { ...held, ...held.next, next: undefined }
}

/** Authorities of what is shown at present. */
function inUse({ server, client }: Secrets): readonly string[] {
  const all = [...new Set([...server.authorities, ...client.authorities])]
  return all.filter((authority) =>
    [server, client].some(({ certificate }) => isSignedBy(certificate, authority)),
  )
}

/** What keeps a step from being taken; undefined: nothing. No replica at all is none that could be asked. */
export function obstacle(
  to: 'client' | 'server' | 'finish',
  { server, client }: Secrets,
  replicas: readonly Replica[],
): string | undefined {
  if (replicas.length === 0) return 'no replica of the control plane can be asked'
  const distrusting = replicas.filter(({ trusts }) => !trusts).length
  if (distrusting > 0)
    return `${distrusting} of ${replicas.length} replicas do not trust the new authority yet`
  if (to === 'client') return undefined
  const shownByClient = fingerprint(client.certificate)
  const old = replicas.flatMap(({ clients }) => clients).filter((one) => one !== shownByClient).length
  if (old > 0) return `${old} Envoys show their old certificate`
  if (to === 'server') return undefined
  const shownByServer = fingerprint(server.certificate)
  const late = replicas.filter(({ shows }) => shows !== shownByServer).length
  return late > 0 ? `${late} of ${replicas.length} replicas show their old certificate` : undefined
}

/** The set that Envoys and replicas are told to trust, beside what they have. */
export interface NewSet {
  readonly authority: string
  readonly server: Held['next']
  readonly client: Held['next']
}

export function begun({ server, client }: Secrets, keep: readonly string[], made: NewSet): Secrets {
  const authorities = [...keep, made.authority]
  return {
    server: { ...server, authorities, next: made.server },
    client: { ...client, authorities, next: made.client },
  }
}

/** The newest pair that Envoys have or will have: who shows it is taken by who trusts the newest authority. */
export function newestClient({ client }: Secrets): { readonly certificate: string; readonly key: string } {
  return client.next ?? client
}

/** Nothing is left to wait for when the old certificates end: the last tenth of their life. */
export function isUrgent({ server, client }: Secrets, now: number): boolean {
  return [server, client].some(({ certificate }) => {
    const { from, to } = lifeOf(certificate)
    return to - now < (to - from) / 10
  })
}

const dayMs = 24 * 3600 * 1000

/** In the last 30 days. */
export function endsSoon(end: number, now: number): boolean {
  return end - now < 30 * dayMs
}
