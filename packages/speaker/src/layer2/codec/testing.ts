/** Headers for tests. */
import { type Header, notKnown } from './message.ts'

export function headerOf(node: string, some: Partial<Header> = {}): Header {
  return {
    state: 'serving',
    wantsReply: false,
    node,
    incarnation: 1n,
    counter: 1n,
    echo: 0n,
    ack: 0n,
    timing: { intervalMs: 100, misses: 6 },
    fencing: false,
    following: { epoch: 0, coordinator: '' },
    hears: false,
    first: undefined,
    suspended: false,
    settled: false,
    rebalance: false,
    blind: false,
    backing: 0,
    held: 0n,
    known: notKnown,
    grantMs: 0,
    orderAck: 0,
    ...some,
  }
}
