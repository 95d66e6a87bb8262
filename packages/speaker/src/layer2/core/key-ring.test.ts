import { expect, test } from 'vitest'
import { KeyRing } from './key-ring.ts'

const [a, b, c] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] as const
const second = 1000

test('the old key is signed with for a minute and accepted for five', () => {
  const ring = new KeyRing(a)
  expect([ring.accepted(0), ring.signing('x', 0)]).toEqual([[a], a])
  ring.renew(b, 0)
  expect([ring.accepted(0), ring.signing('x', 59 * second)]).toEqual([[b, a], a])
  expect([ring.accepted(299 * second), ring.signing('x', 60 * second)]).toEqual([[b, a], b])
  expect(ring.accepted(300 * second)).toEqual([b])
})

test('a peer that uses the new key gets it at once, and the old one if it goes back', () => {
  const ring = new KeyRing(a)
  ring.renew(b, 0)
  ring.heard('x', b)
  expect([ring.signing('x', 1), ring.signing('y', 1)]).toEqual([b, a])
  ring.heard('x', a)
  expect(ring.signing('x', 1)).toBe(a)
})

test('two changes in a row: what everybody had is signed with, all are accepted', () => {
  const ring = new KeyRing(a)
  ring.renew(b, 0)
  ring.renew(c, 30 * second)
  expect([ring.signing('x', 40 * second), ring.accepted(40 * second)]).toEqual([a, [c, a, b]])
  expect([70, 90].map((at) => ring.signing('x', at * second))).toEqual([b, c])
})

test('the same key again and a change taken back leave no doubles', () => {
  const ring = new KeyRing(a)
  ring.renew(Uint8Array.of(1), 0)
  expect(ring.accepted(0)).toEqual([a])
  ring.renew(b, 0)
  ring.renew(Uint8Array.of(1), second)
  expect(ring.accepted(second)).toEqual([a, b])
})

test('without a secret there is no rotation', () => {
  const ring = new KeyRing(undefined)
  ring.renew(a, 0)
  expect([ring.accepted(0), ring.signing('x', 0)]).toEqual([[undefined], undefined])
})

test('speakers that learn of the new key at different times, and one that starts anew, always hear each other', () => {
  const rings = new Map([
    ['p', new KeyRing(a)],
    ['q', new KeyRing(a)],
  ])
  const deaf: string[] = []
  for (let now = 0; now < 600 * second; now += second) {
    if (now === 5 * second) rings.get('p')?.renew(b, now)
    if (now === 50 * second) rings.get('q')?.renew(b, now)
    // Knows the new key only.
    if (now === 55 * second) rings.set('r', new KeyRing(b))
    for (const [from, sender] of rings)
      for (const [to, receiver] of rings) {
        if (from === to) continue
        const key = sender.signing(to, now)
        const known = receiver.accepted(now).find((one) => one === key)
        if (known === undefined) deaf.push(`${now / second} ${from}>${to}`)
        else receiver.heard(from, known)
      }
  }
  // The newcomer speaks first to be answered in its key.
  expect(deaf).toEqual(['55 p>r', '55 q>r'])
})
