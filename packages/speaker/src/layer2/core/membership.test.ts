import { describe, expect, test } from 'vitest'
import { headerOf } from '../codec/testing.ts'
import { Membership } from './membership.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)
const names = ['a', 'b', 'c']

/** Speakers that answer each other at once, over a clock that the test moves. */
class Segment {
  now = 0
  readonly speakers = new Map<string, Membership>()
  readonly recorded: { readonly to: string; readonly header: ReturnType<typeof headerOf> }[] = []
  #incarnation = 1n

  start(node: string): Membership {
    const membership = new Membership(node, this.#incarnation++, deadlines)
    membership.setPeers(
      names.map((name) => ({ node: name, addresses: [name] })),
      this.now,
    )
    this.speakers.set(node, membership)
    return membership
  }

  turn(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.now += 100
      for (const node of this.speakers.keys()) for (const to of names) this.beat(node, to, true)
    }
  }

  beat(from: string, to: string, wantsReply: boolean, echo?: bigint): void {
    const sender = this.speakers.get(from)
    if (sender === undefined || from === to) return
    const header = headerOf(from, { ...sender.identify(to, this.now, echo), wantsReply })
    this.recorded.push({ to, header })
    const result = this.speakers.get(to)?.receive(header, from, true, this.now)
    if (result === undefined || result.kind === 'refused') return
    if (wantsReply) this.beat(to, from, false, result.kind === 'unconfirmed' ? result.incarnation : undefined)
  }

  alive(node: string): string {
    const membership = this.speakers.get(node)
    return names.filter((name) => membership?.alive(name, this.now)).join('')
  }
}

test('all hear each other in the second interval, and confirm it', () => {
  const segment = new Segment()
  for (const node of names) segment.start(node)
  segment.turn(2)
  expect(names.map((node) => segment.alive(node))).toEqual(['bc', 'ac', 'ab'])
})

test('a silent one is dead after six intervals, not sooner', () => {
  const segment = new Segment()
  for (const node of names) segment.start(node)
  segment.turn(5)
  segment.speakers.delete('a')
  segment.turn(5)
  expect(segment.alive('b')).toBe('ac')
  expect(segment.speakers.get('b')?.nextExpiry(segment.now)).toBe(segment.now + 100)
  segment.turn(1)
  expect(segment.alive('b')).toBe('c')
  expect(segment.speakers.get('b')?.members(segment.now, () => true)).toEqual([
    { node: 'a', state: 'dead', heardMs: 600 },
    { node: 'c', state: 'serving', heardMs: 0 },
  ])
})

test('one that is heard, but hears nothing, is dead too', () => {
  const segment = new Segment()
  const [a, b] = [segment.start('a'), segment.start('b')]
  segment.turn(3)
  for (let i = 0; i < 8; i++) {
    segment.now += 100
    b.receive(headerOf('a', a.identify('b', segment.now)), 'a', true, segment.now)
  }
  expect(b.alive('a', segment.now)).toBe(false)
  expect(b.peers.get('a')?.heardAt).toBe(segment.now)
})

test('after a stall nobody is dead before another interval is over', () => {
  const segment = new Segment()
  for (const node of names) segment.start(node)
  segment.turn(3)
  const b = segment.speakers.get('b')
  const before = segment.now
  segment.now += 5000
  expect(segment.alive('b')).toBe('')
  b?.spare(before, segment.now)
  expect(segment.alive('b')).toBe('ac')
  segment.now += 100
  expect(segment.alive('b')).toBe('')
})

describe('refused', () => {
  test('every message that was ever sent, sent again', () => {
    const segment = new Segment()
    segment.start('a')
    segment.start('b')
    segment.turn(4)
    segment.start('a')
    segment.turn(4)
    segment.speakers.delete('a')
    segment.turn(10)
    const b = segment.speakers.get('b')
    const fresh = new Membership('b', 99n, deadlines)
    fresh.setPeers([{ node: 'a', addresses: ['a'] }], 0)
    const sent = segment.recorded.filter(({ to }) => to === 'b')
    expect(sent.length).toBeGreaterThan(10)
    for (const { header } of sent) {
      expect(b?.receive(header, 'a', true, segment.now).kind).not.toBe('accepted')
      expect(fresh.receive(header, 'a', true, segment.now).kind).not.toBe('accepted')
    }
    expect(segment.alive('b')).toBe('')
  })

  test('a node that should run no speaker, and without a secret a strange source', () => {
    const b = new Membership('b', 5n, deadlines)
    b.setPeers([{ node: 'a', addresses: ['192.0.2.1'] }], 0)
    const header = headerOf('a', { echo: 5n })
    expect(b.receive({ ...header, node: 'x' }, '192.0.2.1', true, 0)).toEqual({
      kind: 'refused',
      reason: 'unknownMember',
    })
    expect(b.receive(header, '192.0.2.7', false, 0)).toEqual({ kind: 'refused', reason: 'foreignAddress' })
    expect(b.receive(header, '192.0.2.1', false, 0).kind).toBe('accepted')
  })
})

test('what an earlier life confirmed is not taken for a confirmation of this one', () => {
  const segment = new Segment()
  segment.start('a')
  segment.start('b')
  segment.turn(5)
  const again = segment.start('a')
  segment.beat('b', 'a', true)
  expect(again.alive('b', segment.now)).toBe(false)
  segment.turn(2)
  expect(again.alive('b', segment.now)).toBe(true)
})

test('a peer that is no longer listed stays while a right of its may live', () => {
  const segment = new Segment()
  segment.start('a')
  const b = segment.start('b')
  segment.turn(4)
  b.setPeers([], segment.now)
  expect(segment.alive('b')).toBe('a')
  segment.speakers.delete('a')
  segment.turn(15)
  b.setPeers([], segment.now)
  expect(b.members(segment.now, () => true)).toEqual([])
})

test('one who cannot be believed and holds something is a stranger, until it is heard, or was not for a while', () => {
  const segment = new Segment()
  const b = segment.start('b')
  const stateOfA = () => b.members(segment.now, () => true).find(({ node }) => node === 'a')?.state
  const overhear = (held: bigint, turns: number): void => {
    for (let turn = 0; turn < turns; turn++) {
      segment.turn()
      b.overhear('a', held, segment.now)
    }
  }
  overhear(0n, 10)
  expect([b.isAmongStrangers(segment.now), stateOfA()]).toEqual([false, 'dead'])
  overhear(7n, 1)
  expect([b.isAmongStrangers(segment.now), stateOfA()]).toEqual([true, 'dead'])
  overhear(7n, 10)
  expect([b.isAmongStrangers(segment.now), stateOfA()]).toEqual([true, 'stranger'])
  segment.turn(12)
  expect([b.isAmongStrangers(segment.now), stateOfA()]).toEqual([false, 'dead'])
  overhear(7n, 10)
  segment.start('a')
  segment.turn(3)
  expect([b.isAmongStrangers(segment.now), stateOfA()]).toEqual([false, 'serving'])
})
