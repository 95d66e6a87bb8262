/**
 * What the coordinator has told each member to do (pure): one order at a time for each, as large as a message
 * allows, sent again until it is confirmed. What waits is not sent yet, and can still be taken back.
 */
import { addressBudget, type Body, type ChangeReason } from '../codec/bodies.ts'
import type { AddressKey } from '../codec/ethernet.ts'

export type Order = Extract<Body, { kind: 'order' }>

interface Take {
  readonly reason: ChangeReason
  /** When the former owner was last heard; undefined: nobody waits. */
  readonly silentSince: number | undefined
}

interface Queue {
  readonly release: Set<AddressKey>
  readonly take: Map<AddressKey, Take>
  out: { readonly order: Order; sentAt: number } | undefined
}

export class Orders {
  readonly #queues = new Map<string, Queue>()
  /** By node: the last order that it has carried out. */
  readonly #done = new Map<string, number>()

  release(node: string, address: AddressKey): void {
    const queue = this.#queue(node)
    if (queue.out?.order.release.includes(address) !== true) queue.release.add(address)
  }

  take(node: string, address: AddressKey, take: Take): void {
    this.#queue(node).take.set(address, take)
  }

  /** Nodes for which something waits or is out. */
  get nodes(): Iterable<string> {
    return this.#queues.keys()
  }

  /** The next order to send to the node; undefined: nothing waits, or one is out that is not due again. */
  next(node: string, now: number, againMs: number): Order | undefined {
    const queue = this.#queues.get(node)
    if (queue === undefined) return undefined
    if (queue.out !== undefined) {
      if (now - queue.out.sentAt < againMs) return undefined
      queue.out.sentAt = now
      return queue.out.order
    }
    const order = compose(queue, (this.#done.get(node) ?? 0) + 1, now)
    if (order === undefined) return undefined
    queue.out = { order, sentAt: now }
    return order
  }

  /** When an order would be sent again. */
  nextAgain(againMs: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const { out } of this.#queues.values())
      if (out !== undefined) next = Math.min(next, out.sentAt + againMs)
    return next
  }

  /** The order that the confirmation is for, the first time. */
  confirm(node: string, sequence: number): Order | undefined {
    const queue = this.#queues.get(node)
    this.#done.set(node, sequence)
    if (queue?.out?.order.sequence !== sequence) return undefined
    const { order } = queue.out
    queue.out = undefined
    return order
  }

  get isBusy(): boolean {
    for (const { out, release, take } of this.#queues.values())
      if (out !== undefined || release.size > 0 || take.size > 0) return true
    return false
  }

  /** Whether an order is out that may be carried out at any moment. */
  isOut(node: string): boolean {
    return this.#queues.get(node)?.out !== undefined
  }

  /** Forgets what waits for a node. @returns addresses that it has not been told to take */
  drop(node: string): readonly AddressKey[] {
    const unsent = [...(this.#queues.get(node)?.take.keys() ?? [])]
    this.#queues.delete(node)
    return unsent
  }

  #queue(node: string): Queue {
    let queue = this.#queues.get(node)
    if (queue === undefined) {
      queue = { release: new Set(), take: new Map(), out: undefined }
      this.#queues.set(node, queue)
    }
    return queue
  }
}

/** Releases go first: someone waits for them. */
function compose(queue: Queue, sequence: number, now: number): Order | undefined {
  const release = firstOf(queue.release)
  for (const address of release) queue.release.delete(address)
  const [first] = queue.take.values()
  if (release.length === 0 && first === undefined) return undefined
  const order = { kind: 'order', sequence, reason: 'placed', silentMs: 0, release } as const
  if (release.length > 0 || first === undefined) return { ...order, take: [] }
  const take = firstOf(alikeOf(queue.take, first))
  for (const address of take) queue.take.delete(address)
  const { reason, silentSince } = first
  return { ...order, reason, silentMs: silentSince === undefined ? 0 : Math.max(0, now - silentSince), take }
}

function* alikeOf(all: ReadonlyMap<AddressKey, Take>, first: Take): Generator<AddressKey> {
  for (const [address, { reason, silentSince }] of all)
    if (reason === first.reason && silentSince === first.silentSince) yield address
}

/** As many as fit into a message. */
function firstOf(addresses: Iterable<AddressKey>): readonly AddressKey[] {
  const first: AddressKey[] = []
  let used = 0
  for (const address of addresses) {
    used += 1 + address.length
    if (used > addressBudget) break
    first.push(address)
  }
  return first
}
