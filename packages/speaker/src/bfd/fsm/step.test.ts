import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ControlPacket, diagnostic } from '../codec/index.ts'
import {
  type BfdSettings,
  detectionMs,
  type Effect,
  type Event,
  initial,
  nextDeadline,
  type State,
  step,
} from './index.ts'

const usual: BfdSettings = {
  discriminator: 7,
  transmitMs: 300,
  receiveMs: 300,
  multiplier: 3,
  echoMs: undefined,
  passive: false,
  random: () => 1,
}
const fromPeer: ControlPacket = {
  state: 'down',
  diagnostic: 0,
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  multiplier: 3,
  myDiscriminator: 9,
  yourDiscriminator: 7,
  desiredTransmitMs: 100,
  requiredReceiveMs: 100,
  requiredEchoMs: 0,
}

/** A session that is driven event by event, on a clock of its own. */
class Script {
  now = 0
  settings: BfdSettings
  state: State
  sent: ControlPacket[] = []

  constructor(more: Partial<BfdSettings> = {}) {
    this.settings = { ...usual, ...more }
    this.state = initial(this.settings, 0)
  }

  on(event: Event): readonly string[] {
    const result = step(this.state, event, this.now, this.settings)
    this.state = result.state
    return result.effects.map((effect) => this.#brief(effect))
  }

  hear(more: Partial<ControlPacket>): readonly string[] {
    return this.on({ kind: 'packet', packet: { ...fromPeer, ...more } })
  }

  up(more: Partial<ControlPacket> = {}): this {
    this.on({ kind: 'tick' })
    this.hear(more)
    this.hear({ state: 'init', final: false, ...more })
    this.hear({ state: 'up', final: true, ...more })
    return this
  }

  at(now: number): readonly string[] {
    this.now = now
    return this.on({ kind: 'tick' })
  }

  configure(more: Partial<BfdSettings>): readonly string[] {
    this.settings = { ...this.settings, ...more }
    return this.on({ kind: 'configured' })
  }

  /** Lets time pass to the next deadline; gives how long that took and what it brought about. */
  wait(): readonly [number, readonly string[]] {
    const deadline = nextDeadline(this.state, this.settings) ?? expect.unreachable('nothing to wait for')
    const ms = deadline - this.now
    return [ms, this.at(deadline)]
  }

  get last(): ControlPacket {
    return this.sent.at(-1) ?? expect.unreachable('nothing was sent')
  }

  #brief(effect: Effect): string {
    if (effect.kind !== 'send') return effect.kind
    this.sent.push(effect.packet)
    const { state, poll, final } = effect.packet
    return `send ${state}${poll ? ' P' : ''}${final ? ' F' : ''}`
  }
}

describe('the way up', () => {
  test('down, init, up, and the interval is confirmed by a poll', () => {
    const script = new Script()
    expect(script.at(0)).toEqual(['send down'])
    expect(script.last).toMatchObject({
      desiredTransmitMs: 1000,
      requiredReceiveMs: 300,
      yourDiscriminator: 0,
    })
    expect(script.hear({})).toEqual(['send init', 'changed'])
    expect(script.last.yourDiscriminator).toBe(9)
    expect(script.hear({ state: 'init' })).toEqual(['send up P', 'changed'])
    expect(script.last.desiredTransmitMs).toBe(300)
    expect(script.wait()).toEqual([300, ['send up P']])
    expect(script.hear({ state: 'up', final: true })).toEqual([])
    expect(script.wait()).toEqual([300, ['send up']])
  })

  test('from down to up when the peer knew us already', () => {
    const script = new Script()
    expect(script.hear({ state: 'init' })).toEqual(['send up P', 'changed'])
  })

  test('a peer in state up does not know that we went down', () => {
    expect(new Script().hear({ state: 'up' })).toEqual(['send down'])
    expect(new Script().up().state.kind).toBe('up')
  })

  test('one that is passive says nothing first', () => {
    const script = new Script({ passive: true })
    expect(nextDeadline(script.state, script.settings)).toBeUndefined()
    expect(script.at(5000)).toEqual([])
    expect(script.hear({})).toEqual(['send init', 'changed'])
  })

  test('not up: a packet a second at most', () => {
    const script = new Script()
    script.at(0)
    expect(script.wait()).toEqual([1000, ['send down']])
    expect(new Script({ transmitMs: 2000 }).up().last.desiredTransmitMs).toBe(2000)
  })
})

describe('the way down', () => {
  test('silence for the detection time', () => {
    const script = new Script().up()
    expect(detectionMs(script.state)).toBe(900)
    script.now = 899
    expect(script.on({ kind: 'tick' })).toEqual(['send up'])
    expect(script.at(900)).toEqual(['send down', 'changed'])
    expect(script.last).toMatchObject({ diagnostic: diagnostic.detectionTimeExpired, yourDiscriminator: 0 })
    expect(script.last.desiredTransmitMs).toBe(1000)
    expect(script.state.heldUntil).toBe(3900)
  })

  test("the peer's own interval counts where it is longer", () => {
    expect(detectionMs(new Script().up({ desiredTransmitMs: 500, multiplier: 4 }).state)).toBe(2000)
  })

  test('the peer says so', () => {
    const script = new Script().up()
    expect(script.hear({ state: 'down' })).toEqual(['send down', 'changed'])
    expect(script.last.diagnostic).toBe(diagnostic.neighborSignaledDown)
    expect(script.state.heldUntil).toBe(3000)
    expect(script.hear({ state: 'down' })).toEqual(['send init', 'changed'])
    expect(script.hear({ state: 'up' })).toEqual(['send up P', 'changed'])
    expect(script.state).toMatchObject({ kind: 'up', diagnostic: 0, heldUntil: undefined })
  })

  test('a peer that was shut on purpose holds nothing', () => {
    const script = new Script().up()
    expect(script.hear({ state: 'adminDown' })).toEqual(['send down', 'changed'])
    expect(script.state.heldUntil).toBeUndefined()
  })

  test('what is held is released when BFD has been silent for long', () => {
    const script = new Script().up()
    script.at(900)
    script.now = 2000
    script.hear({ state: 'down' })
    expect(script.state).toMatchObject({ kind: 'init', heldUntil: 5000 })
    script.at(3000)
    script.at(4999)
    expect(script.state.heldUntil).toBeDefined()
    expect(script.at(5000)).toContain('changed')
    expect(script.state.heldUntil).toBeUndefined()
  })

  test('a session that never was up holds nothing', () => {
    const script = new Script()
    script.hear({})
    script.at(5000)
    expect(script.state).toMatchObject({ kind: 'down', heldUntil: undefined })
  })

  test('disabled: one word, and nothing more', () => {
    const script = new Script().up()
    expect(script.on({ kind: 'disabled' })).toEqual(['send adminDown', 'changed'])
    expect(script.last.diagnostic).toBe(diagnostic.administrativelyDown)
    expect(script.hear({ state: 'down' })).toEqual([])
    expect(script.at(9000)).toEqual([])
  })
})

describe('intervals', () => {
  test('no quicker than the peer can read, none where it wants none', () => {
    const script = new Script().up({ requiredReceiveMs: 700 })
    script.now = 0
    expect(nextDeadline(script.state, script.settings)).toBe(700)
    script.hear({ state: 'up', requiredReceiveMs: 0 })
    expect(nextDeadline(script.state, script.settings)).toBe(900)
  })

  test('jitter takes up to a quarter away', () => {
    const script = new Script({ random: () => 0 }).up()
    expect(script.state.jitter).toBe(0.75)
    expect(new Script({ random: () => 1, multiplier: 1 }).up().state.jitter).toBe(0.9)
  })

  test("the peer's poll is answered at once, also between two packets", () => {
    const script = new Script().up()
    script.now = 10
    expect(script.hear({ state: 'up', poll: true })).toEqual(['send up F'])
    expect(nextDeadline(script.state, script.settings)).toBe(300)
  })

  test('slower ones wait until the peer confirmed them', () => {
    const script = new Script().up()
    expect(script.configure({ transmitMs: 1000, receiveMs: 1000 })).toEqual(['send up P'])
    expect(script.last).toMatchObject({ desiredTransmitMs: 1000, requiredReceiveMs: 1000 })
    expect(detectionMs(script.state)).toBe(3000)
    expect(script.wait()[0]).toBe(300)
    script.hear({ state: 'up', final: true })
    expect(script.wait()[0]).toBe(1000)
  })

  test('quicker detection waits as well, quicker sending does not', () => {
    const script = new Script().up()
    script.configure({ transmitMs: 100, receiveMs: 50 })
    expect(detectionMs(script.state)).toBe(900)
    expect(script.wait()[0]).toBe(100)
    script.hear({ state: 'up', final: true, desiredTransmitMs: 50 })
    expect(detectionMs(script.state)).toBe(150)
  })

  test('settings that are the same poll nobody', () => {
    expect(new Script().up().configure({})).toEqual([])
  })

  test('a peer in demand mode is left in peace, and polled when something changes', () => {
    const script = new Script().up({ demand: true })
    expect(nextDeadline(script.state, script.settings)).toBe(900)
    script.configure({ transmitMs: 200 })
    expect(script.wait()).toEqual([200, ['send up P']])
  })
})

describe('echo', () => {
  const echoing = () => new Script({ echoMs: 50 }).up({ requiredEchoMs: 100 })

  test('no quicker than the peer takes them; lost ones take the session down', () => {
    const script = echoing()
    expect(script.last.requiredEchoMs).toBe(50)
    expect(script.wait()).toEqual([100, ['sendEcho']])
    script.on({ kind: 'echo' })
    script.now = 150
    expect(script.at(200)).toEqual(['sendEcho'])
    script.at(300)
    expect(script.at(399)).not.toContain('changed')
    expect(script.at(400)).toEqual(['send down', 'changed'])
    expect(script.state.diagnostic).toBe(diagnostic.echoFailed)
  })

  test('while we stand still none is lost', () => {
    const script = echoing()
    expect(script.at(100)).toContain('sendEcho')
    script.on({ kind: 'echo' })
    const after = (now: number) => {
      script.now = now
      script.hear({ state: 'up', requiredEchoMs: 100 })
      return script.at(now)
    }
    expect(after(900)).toContain('sendEcho')
    expect(after(1700)).toContain('sendEcho')
    // The last one that is out has its time to come back as well.
    expect(after(1799)).not.toContain('changed')
    expect(after(1800)).toContain('changed')
    expect(script.state.diagnostic).toBe(diagnostic.echoFailed)
  })

  test('not to a peer that takes none, and not before the session is up', () => {
    const script = new Script({ echoMs: 50 })
    script.hear({ requiredEchoMs: 100 })
    expect(script.at(60)).toEqual([])
    expect(new Script({ echoMs: 50 }).up().wait()[1]).not.toContain('sendEcho')
  })

  test('begins when the peer offers it', () => {
    const script = new Script({ echoMs: 50 }).up()
    script.now = 500
    script.hear({ state: 'up', requiredEchoMs: 100 })
    expect(script.at(600)).toEqual(['sendEcho'])
  })
})

/** Two sessions over a path that loses and delays. */
function meet(loss: () => boolean, untilMs: number): readonly [Script, Script] {
  const ends = [
    new Script({ random: () => 0.5 }),
    new Script({ random: () => 0.3, discriminator: 9 }),
  ] as const
  for (let now = 0; now <= untilMs; now += 10) {
    for (const [i, end] of ends.entries()) {
      end.at(now)
      for (const packet of end.sent.splice(0))
        if (!loss()) {
          const other = i === 0 ? ends[1] : ends[0]
          other.now = now
          other.on({ kind: 'packet', packet })
        }
    }
  }
  return ends
}

test('two of them meet, whatever is lost on the way', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(9)), (dice) => {
      let lost = 0
      const loss = () => ++lost < 60 && Number(dice.next().value) < 5
      const [a, b] = meet(loss, 90_000)
      expect([a.state.kind, b.state.kind]).toEqual(['up', 'up'])
      expect([a.state.polling, b.state.polling]).toEqual([false, false])
      expect(detectionMs(a.state)).toBe(900)
    }),
    { numRuns: 30 },
  )
})

test('any events at any time leave a state that means something', () => {
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.constant<Event>({ kind: 'tick' }),
    fc.constant<Event>({ kind: 'echo' }),
    fc.constant<Event>({ kind: 'configured' }),
    fc
      .record({
        state: fc.constantFrom('adminDown', 'down', 'init', 'up'),
        poll: fc.boolean(),
        final: fc.boolean(),
        demand: fc.boolean(),
        requiredReceiveMs: fc.constantFrom(0, 10, 1000),
        requiredEchoMs: fc.constantFrom(0, 50),
        desiredTransmitMs: fc.constantFrom(0, 10, 5000),
      })
      .map((more): Event => ({ kind: 'packet', packet: { ...fromPeer, ...more } })),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2000), event), { maxLength: 60 }), (events) => {
      const script = new Script({ echoMs: 50 })
      for (const [ms, one] of events) {
        script.now += ms
        script.on(one)
        for (const packet of script.sent.splice(0)) {
          expect(packet.poll && packet.final).toBe(false)
          expect(packet.state === 'up' || packet.desiredTransmitMs >= 1000).toBe(true)
        }
        expect(script.state.kind !== 'up' || script.state.remote !== undefined).toBe(true)
        expect(script.state.heldUntil ?? Infinity).toBeGreaterThan(script.now - 10_001)
      }
    }),
  )
})
