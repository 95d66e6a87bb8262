/**
 * BFD beside one BGP session (RFC 5882): begins with the first session, since its ends are those of the connection,
 * and outlives it, since it says when the next one may begin. BFD itself runs in the worker thread.
 */
import type { Interface } from '@landfall/net'
import { equalIP, type IP, isLinkLocal, prefixContains, prefixOf } from '@landfall/netip'
import type { BfdSession, ToBfd } from '../bfd/index.ts'
import type { BfdProfile, BgpPeerPlan } from '../plan/bgp-plan.ts'

export interface FailureDetectionOptions {
  readonly peer: BgpPeerPlan
  readonly send: (message: ToBfd) => void
  readonly interfaces: () => readonly Interface[]
}

/** Of a BGP session that is up. */
interface Path {
  readonly local: IP
  readonly remote: IP
  readonly share: () => number | undefined
}

export class FailureDetection {
  readonly #options: FailureDetectionOptions
  #profile: BfdProfile | undefined
  #session: BfdSession | undefined
  #path: Path | undefined

  constructor(options: FailureDetectionOptions) {
    this.#options = options
    this.#profile = options.peer.bfd
  }

  /** Whatever BFD says of the peer is of a session that there is. */
  get isOpen(): boolean {
    return this.#session !== undefined
  }

  /** The session is up. `share` gives a descriptor of its connection. */
  up(local: IP, remote: IP, share: () => number | undefined): void {
    this.#path = { local, remote, share }
    if (this.#profile !== undefined) this.#begin(this.#profile, this.#path)
  }

  /** The session's connection is gone, or about to go. */
  down(): void {
    this.#path = undefined
    if (this.#session !== undefined) this.#options.send({ kind: 'unguard', id: this.#id })
  }

  /** The session ended as one does whose peer restarts gracefully. */
  restarting(): void {
    if (this.#session !== undefined) this.#options.send({ kind: 'restarting', id: this.#id })
  }

  /** undefined ends it; one that comes to a session that is up begins at once. */
  setProfile(profile: BfdProfile | undefined): void {
    this.#profile = profile
    if (profile === undefined) this.close()
    else if (this.#session !== undefined) this.#open(profile, this.#session.local, this.#session.remote)
    else if (this.#path !== undefined) this.#begin(profile, this.#path)
  }

  close(): void {
    if (this.#session !== undefined) this.#options.send({ kind: 'close', id: this.#id })
    this.#session = undefined
  }

  get #id(): string {
    return this.#options.peer.name
  }

  #begin(profile: BfdProfile, { local, remote, share }: Path): void {
    this.#open(profile, local, remote)
    const fd = share()
    if (fd !== undefined) this.#options.send({ kind: 'guard', id: this.#id, fd })
  }

  #open(profile: BfdProfile, local: IP, remote: IP): void {
    const { ebgpMultiHop, ttlSecurityHops = 1, interface: link, vrf } = this.#options.peer
    const multihop = ebgpMultiHop || ttlSecurityHops > 1 || !this.#isNear(local, remote)
    const device = link ?? vrf
    this.#session = { id: this.#id, local, remote, device, multihop, profile }
    this.#options.send({ kind: 'open', session: this.#session })
  }

  /** On the link of the local address, or this very host. */
  #isNear(local: IP, remote: IP): boolean {
    if (equalIP(local, remote) || isLinkLocal(remote)) return true
    return this.#options
      .interfaces()
      .some(({ addresses }) =>
        addresses.some(({ ip, prefixLength }) => prefixContains(prefixOf(ip, prefixLength), remote)),
      )
  }
}
