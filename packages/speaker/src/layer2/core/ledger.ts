/**
 * Who holds which address, learned from the holders themselves (pure). Kept by the coordinator and by those that
 * would follow it. A holder that died stays one until its right has surely ended; an address that an order may have
 * given to someone counts as held from when the order is made.
 */
import type { AddressKey } from '../codec/ethernet.ts'
import { notKnown } from '../codec/message.ts'
import { emptyDigest, Holdings } from './holdings.ts'

/** How an address was lost. */
export interface Loss {
  readonly node: string
  readonly kind: 'dead' | 'left'
  /** When the holder was last heard. */
  readonly at: number
}

interface Account {
  holdings: Holdings
  /** The holdings are what the holder last said it holds. */
  known: boolean
  /** Given by an order that was not confirmed yet. */
  readonly pending: Set<AddressKey>
  /** Parts of claims that arrived; what they name counts as held from then on. */
  parts: { readonly digest: bigint; readonly addresses: Set<AddressKey>; next: number } | undefined
}

/** What is to be taken from a node that is gone. */
interface Estate {
  readonly account: Account
  readonly loss: Loss
  /** How it was lost is to be remembered. */
  counts: boolean
}

const settledPerTurn = 500
const nobody: ReadonlySet<string> = new Set()

export class Ledger {
  readonly #accounts = new Map<string, Account>()
  readonly #holders = new Map<AddressKey, Set<string>>()
  readonly #conflicts = new Set<AddressKey>()
  /** By node: how many addresses it holds that another holds, too. */
  readonly #disputed = new Map<string, number>()
  readonly #losses = new Map<AddressKey, Loss>()
  #estates: readonly Estate[] = []
  readonly #watchers: ((address: AddressKey) => void)[]

  /** `onChange`: the holders of the address are others now. */
  constructor(onChange: (address: AddressKey) => void) {
    this.#watchers = [onChange]
  }

  /** Someone else who is told of each change. */
  watch(onChange: (address: AddressKey) => void): void {
    this.#watchers.push(onChange)
  }

  /** Everyone who holds the address, or may. */
  holdersOf(address: AddressKey): ReadonlySet<string> {
    return this.#holders.get(address) ?? nobody
  }

  /** Addresses with more than one holder. */
  get conflicts(): ReadonlySet<AddressKey> {
    return this.#conflicts
  }

  /** Whether another holds what the node holds. */
  isDisputed(node: string): boolean {
    return (this.#disputed.get(node) ?? 0) > 0
  }

  /** Every address that someone holds. */
  get addresses(): Iterable<AddressKey> {
    return this.#holders.keys()
  }

  get nodes(): readonly string[] {
    return [...this.#accounts.keys()]
  }

  lossOf(address: AddressKey): Loss | undefined {
    return this.#losses.get(address)
  }

  /** How many addresses the node holds, or may. */
  load(node: string): number {
    const account = this.#accounts.get(node)
    return account === undefined ? 0 : account.holdings.size + account.pending.size
  }

  /** Whether it is pending, not held. */
  isPending(node: string, address: AddressKey): boolean {
    return this.#accounts.get(node)?.pending.has(address) ?? false
  }

  digestOf(node: string): bigint {
    const account = this.#accounts.get(node)
    return account?.known === true ? account.holdings.digest : notKnown
  }

  isKnown(node: string): boolean {
    return this.#accounts.get(node)?.known ?? false
  }

  /** What a node says of itself. False: its claims have to be asked for. */
  observe(node: string, digest: bigint): boolean {
    const account = this.#account(node)
    if (digest === account.holdings.digest) account.known = true
    else if (digest === emptyDigest) {
      this.#replace(node, account, new Set())
      account.known = true
    } else account.known = false
    if (account.known) account.parts = undefined
    return account.known
  }

  /** What the node holds, from a sure source. */
  restate(node: string, held: Holdings): void {
    const account = this.#account(node)
    this.cancelAll(node)
    if (account.holdings.digest !== held.digest) this.#replace(node, account, new Set(held))
    account.known = true
  }

  /** An order is made, and may be carried out from now on. */
  expect(node: string, address: AddressKey): void {
    const account = this.#account(node)
    if (account.holdings.has(address) || account.pending.has(address)) return
    account.pending.add(address)
    this.#link(node, address)
  }

  /** An order was not sent, or was not for this. */
  cancel(node: string, address: AddressKey): void {
    if (this.#accounts.get(node)?.pending.delete(address) === true) this.#unlink(node, address)
  }

  /** Orders to the node, if there were any, are void. */
  cancelAll(node: string): void {
    for (const address of this.#accounts.get(node)?.pending ?? []) this.cancel(node, address)
  }

  /** A holder said that it carried this out. */
  apply(node: string, removed: readonly AddressKey[], added: Iterable<AddressKey>): void {
    const account = this.#account(node)
    for (const address of removed) if (account.holdings.delete(address)) this.#unlink(node, address)
    for (const address of added) {
      const expected = account.pending.delete(address)
      if (account.holdings.add(address) && !expected) this.#link(node, address)
      else if (expected) this.#onChange(address)
      this.#losses.delete(address)
    }
  }

  /** A change that another order made, when it fits what is known. */
  applyDelta(
    node: string,
    from: bigint,
    to: bigint,
    removed: readonly AddressKey[],
    added: readonly AddressKey[],
  ): void {
    const account = this.#account(node)
    if (account.holdings.digest !== from) return
    this.apply(node, removed, added)
    account.known = account.holdings.digest === to
  }

  /** Which part of the claims to ask for. */
  wantedPart(node: string): number {
    return this.#accounts.get(node)?.parts?.next ?? 0
  }

  /** True: another part has to be asked for. */
  applyClaims(
    node: string,
    digest: bigint,
    part: number,
    parts: number,
    addresses: readonly AddressKey[],
  ): boolean {
    const account = this.#account(node)
    if (account.known) return false
    let got = account.parts
    if (got === undefined || got.digest !== digest || part === 0)
      account.parts = got = { digest, addresses: new Set(), next: 0 }
    if (part !== got.next) return true
    for (const address of addresses) got.addresses.add(address)
    this.apply(node, [], addresses)
    got.next++
    if (got.next < parts) return true
    account.parts = undefined
    this.#replace(node, account, got.addresses)
    account.known = account.holdings.digest === digest
    return !account.known
  }

  /** The node's right ended: takes up to `limit` addresses from it. @returns whether that was all */
  close(node: string, loss: Loss, limit = Number.POSITIVE_INFINITY): boolean {
    const account = this.#accounts.get(node)
    if (account === undefined) return true
    // One whose holdings were not known when it left may have given them up before.
    const done = this.#take({ account, loss, counts: loss.kind === 'dead' || account.known }, limit)
    if (done) this.#accounts.delete(node)
    return done
  }

  /** The node is gone, and what comes of that name holds what it says anew; `settle` takes from it what it held. */
  leave(node: string, loss: Loss): void {
    const account = this.#accounts.get(node)
    if (account === undefined) return
    this.#accounts.delete(node)
    this.#estates = [...this.#estates, { account, loss, counts: loss.kind === 'dead' || account.known }]
  }

  /** Those who are gone still count as holders of something. */
  get hasEstates(): boolean {
    return this.#estates.length > 0
  }

  /** Takes up to `limit` addresses from those who are gone: no turn is long. */
  settle(limit = settledPerTurn): void {
    const [first] = this.#estates
    if (first !== undefined && this.#take(first, limit)) this.#estates = this.#estates.slice(1)
  }

  #take({ account, loss, counts }: Estate, limit: number): boolean {
    const { node } = loss
    const now = this.#accounts.get(node)
    let left = limit
    for (const addresses of [account.holdings, account.pending])
      for (const address of addresses) {
        if (left-- <= 0) return false
        addresses.delete(address)
        // Its successor of that name may have it.
        if (now?.holdings.has(address) === true || now?.pending.has(address) === true) continue
        if (counts) this.#losses.set(address, loss)
        this.#unlink(node, address)
      }
    return true
  }

  /** Forgets losses that nobody vouches for any more: meanwhile another may have been given the address. */
  forgetLosses(holdsStill: (loss: Loss) => boolean): void {
    for (const [address, loss] of this.#losses) if (!holdsStill(loss)) this.#losses.delete(address)
    for (const estate of this.#estates) estate.counts &&= holdsStill(estate.loss)
  }

  #account(node: string): Account {
    let account = this.#accounts.get(node)
    if (account === undefined) {
      account = { holdings: new Holdings(), known: false, pending: new Set(), parts: undefined }
      this.#accounts.set(node, account)
    }
    return account
  }

  #replace(node: string, account: Account, addresses: ReadonlySet<AddressKey>): void {
    for (const address of account.holdings)
      if (!addresses.has(address) && account.holdings.delete(address)) this.#unlink(node, address)
    if (account.holdings.size < addresses.size) this.apply(node, [], addresses)
  }

  #onChange(address: AddressKey): void {
    for (const tell of this.#watchers) tell(address)
  }

  #link(node: string, address: AddressKey): void {
    let holders = this.#holders.get(address)
    if (holders === undefined) this.#holders.set(address, (holders = new Set()))
    if (holders.has(node)) return
    holders.add(node)
    if (holders.size > 1) {
      this.#conflicts.add(address)
      for (const one of holders.size === 2 ? holders : [node]) this.#dispute(one, 1)
    }
    this.#onChange(address)
  }

  #dispute(node: string, by: 1 | -1): void {
    const count = (this.#disputed.get(node) ?? 0) + by
    if (count === 0) this.#disputed.delete(node)
    else this.#disputed.set(node, count)
  }

  #unlink(node: string, address: AddressKey): void {
    const holders = this.#holders.get(address)
    if (holders?.delete(node) !== true) return
    if (holders.size > 0) this.#dispute(node, -1)
    if (holders.size < 2) this.#conflicts.delete(address)
    if (holders.size === 1) for (const last of holders) this.#dispute(last, -1)
    if (holders.size === 0) this.#holders.delete(address)
    this.#onChange(address)
  }
}
