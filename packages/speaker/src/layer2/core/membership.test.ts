import { describe, expect, test } from 'vitest'
import type { Heartbeat } from '../codec/heartbeat.ts'
import { Membership, type OutgoingHeartbeat } from './membership.ts'

const timing = { intervalMs: 100, misses: 6 }

/** Speakers that hear each other at once, over a clock that the test moves. */
class Segment {
  now = 0
  readonly speakers = new Map<string, Membership>()
  readonly recorded: { readonly to: string; readonly heartbeat: Heartbeat }[] = []
  #incarnation = 1n

  start(node: string): Membership {
    const membership = new Membership(node, this.#incarnation++, timing)
    this.speakers.set(node, membership)
    const peers = ['a', 'b', 'c'].map((name) => ({ node: name, addresses: [name] }))
    membership.setPeers(peers, this.now)
    membership.begin(this.now)
    return membership
  }

  /** One interval: all beat, all answers are delivered. */
  turn(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.now += timing.intervalMs
      for (const [node, membership] of this.speakers) {
        membership.settle(this.now)
        this.deliver(node, membership.beat())
      }
    }
  }

  deliver(from: string, messages: readonly OutgoingHeartbeat[]): void {
    for (const { to, heartbeat } of messages) {
      this.recorded.push({ to, heartbeat })
      const receiver = this.speakers.get(to)
      const result = receiver?.receive(heartbeat, from, true, this.now)
      if (result !== undefined && result.kind !== 'refused') this.deliver(to, result.replies)
    }
  }

  serving(node: string): string {
    return [...(this.speakers.get(node)?.serving(this.now) ?? [])].toSorted().join('')
  }
}

test('all serve one detection time after they began, and know it', () => {
  const segment = new Segment()
  for (const node of ['a', 'b', 'c']) segment.start(node)
  segment.turn(5)
  expect(segment.serving('a')).toBe('')
  segment.turn(2)
  expect(['a', 'b', 'c'].map((node) => segment.serving(node))).toEqual(['abc', 'abc', 'abc'])
})

test('alone, a speaker serves for itself', () => {
  const segment = new Segment()
  segment.start('a')
  segment.turn(6)
  expect(segment.serving('a')).toBe('a')
})

test('a silent one is dead after six intervals, not sooner', () => {
  const segment = new Segment()
  for (const node of ['a', 'b', 'c']) segment.start(node)
  segment.turn(8)
  segment.speakers.delete('a')
  segment.turn(5)
  expect(segment.serving('b')).toBe('abc')
  const expiry = segment.speakers.get('b')?.nextExpiry(segment.now)
  expect(expiry).toBe(segment.now + 100)
  segment.turn(1)
  expect(segment.serving('b')).toBe('bc')
  expect(segment.speakers.get('b')?.members(segment.now)).toEqual([
    { node: 'a', state: 'dead' },
    { node: 'c', state: 'serving' },
  ])
})

test('one that leaves is out at once', () => {
  const segment = new Segment()
  const a = segment.start('a')
  segment.start('b')
  segment.turn(8)
  a.leave()
  segment.deliver('a', a.beat())
  expect(segment.serving('b')).toBe('b')
  expect(segment.serving('a')).toBe('b')
})

test('one that restarts at once is heard as joining, then serving', () => {
  const segment = new Segment()
  segment.start('a')
  segment.start('b')
  segment.turn(8)
  segment.start('a')
  segment.turn(1)
  expect(segment.speakers.get('b')?.members(segment.now)[0]).toEqual({ node: 'a', state: 'joining' })
  expect(segment.serving('b')).toBe('b')
  segment.turn(6)
  expect(segment.serving('b')).toBe('ab')
})

describe('refused', () => {
  test('every datagram that was ever sent, sent again', () => {
    const segment = new Segment()
    segment.start('a')
    segment.start('b')
    segment.turn(8)
    segment.start('a')
    segment.turn(8)
    segment.speakers.delete('a')
    segment.turn(10)
    const b = segment.speakers.get('b')
    const fresh = new Membership('b', 99n, timing)
    fresh.setPeers([{ node: 'a', addresses: ['a'] }], 0)
    for (const { to, heartbeat } of segment.recorded) {
      if (to !== 'b') continue
      expect(b?.receive(heartbeat, 'a', true, segment.now).kind).not.toBe('accepted')
      expect(fresh.receive(heartbeat, 'a', true, segment.now).kind).not.toBe('accepted')
    }
    expect(segment.serving('b')).toBe('b')
  })

  test('a node that should run no speaker, and without a secret a strange source', () => {
    const b = new Membership('b', 5n, timing)
    b.setPeers([{ node: 'a', addresses: ['192.0.2.1'] }], 0)
    const heartbeat: Heartbeat = { state: 'serving', node: 'a', incarnation: 1n, counter: 1n, echo: 5n }
    expect(b.receive({ ...heartbeat, node: 'x' }, '192.0.2.1', true, 0)).toEqual({
      kind: 'refused',
      reason: 'unknownMember',
    })
    expect(b.receive(heartbeat, '192.0.2.7', false, 0)).toEqual({ kind: 'refused', reason: 'foreignAddress' })
    expect(b.receive(heartbeat, '192.0.2.1', false, 0).kind).toBe('accepted')
  })
})

test('a peer that is no longer listed stays while it is alive', () => {
  const segment = new Segment()
  segment.start('a')
  const b = segment.start('b')
  segment.turn(8)
  b.setPeers([], segment.now)
  expect(segment.serving('b')).toBe('ab')
  segment.speakers.delete('a')
  segment.turn(7)
  b.setPeers([], segment.now)
  expect(b.members(segment.now)).toEqual([])
})
