import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bgpError, errorCode, openError } from '../codec/index.ts'
import { type Event, nextDeadline, step } from './index.ts'
import {
  cease,
  connected,
  established,
  keepalive,
  message,
  notification,
  peerOpen,
  refused,
  Script,
  update,
} from './testing.ts'

describe('a peer that knows no capabilities', () => {
  const unsupported = notification(bgpError(errorCode.open, openError.unsupportedParameter))
  const capabilitiesOf = (script: Script) => {
    const [effect] = step(script.state, connected, script.now, script.settings).effects
    return effect?.kind === 'send' && effect.message.kind === 'open' ? effect.message.capabilities : undefined
  }

  test('is tried without, and the session is of IPv4 and AS numbers of two octets', () => {
    const script = new Script({ restartSeconds: 120 }).all({ kind: 'start' }, connected, unsupported)
    expect(script.wait()).toEqual([250, ['connect']])
    expect(capabilitiesOf(script)).toEqual([])
    script.all(connected, message(peerOpen), keepalive)
    expect(script.state).toMatchObject({
      agreed: { families: [4], gracefulRestart: false, context: { fourOctetAS: false } },
    })
  })

  test.each([
    ['refuses that, too', [connected, unsupported]],
    ['had such a session', [connected, message(peerOpen), keepalive, { kind: 'closed' }]],
  ] as const)('and with them again once it %s', (_what, events) => {
    const script = new Script().all({ kind: 'start' }, connected, unsupported)
    script.wait()
    script.all(...events)
    script.wait()
    expect(capabilitiesOf(script)).toHaveLength(6)
  })
})

describe('the way up', () => {
  test('connect, OPEN, KEEPALIVE, established', () => {
    const script = new Script()
    expect(script.on({ kind: 'start' })).toEqual(['connect'])
    expect(script.on(connected)).toEqual(['send open'])
    expect(script.on(message(peerOpen))).toEqual(['send keepalive'])
    expect(script.state.kind).toBe('openConfirm')
    expect(script.on(keepalive)).toEqual(['up'])
    expect(script.state).toMatchObject({
      kind: 'established',
      agreed: {
        holdSeconds: 30,
        keepaliveMs: 10_000,
        families: [4],
        context: { fourOctetAS: true, internal: false, messageLimit: 4096 },
      },
    })
  })

  test('our OPEN says who we are and what we can', () => {
    const script = new Script({ localASN: 4200000000, holdSeconds: 9 }).all({ kind: 'start' })
    const { effects } = step(script.state, connected, 0, script.settings)
    expect(effects).toMatchObject([
      {
        message: {
          asField: 23456,
          holdSeconds: 9,
          routerID: 0x0a4d000b,
          capabilities: [
            { kind: 'multiprotocol', family: { afi: 1, safi: 1 } },
            { kind: 'multiprotocol', family: { afi: 2, safi: 1 } },
            { kind: 'routeRefresh' },
            { kind: 'extendedMessage' },
            { kind: 'fourOctetAS', asn: 4200000000 },
            { kind: 'enhancedRouteRefresh' },
          ],
        },
      },
    ])
  })

  test('a peer without capabilities takes IPv4 and AS numbers of two octets', () => {
    const script = new Script().all(
      { kind: 'start' },
      connected,
      message({ ...peerOpen, capabilities: [] }),
      keepalive,
    )
    expect(script.state).toMatchObject({ agreed: { families: [4], context: { fourOctetAS: false } } })
  })

  test('a family that is not agreed is not there', () => {
    const capabilities = [{ kind: 'multiprotocol', family: { afi: 2, safi: 1 } }] as const
    const script = new Script().all(
      { kind: 'start' },
      connected,
      message({ ...peerOpen, capabilities }),
      keepalive,
    )
    expect(script.state).toMatchObject({ agreed: { families: [6] } })
  })
})

test('a peer that is found is dialled at once, but not one that refused', () => {
  const waiting = new Script().all({ kind: 'start' }, refused)
  expect(waiting.on({ kind: 'found' })).toEqual(['connect'])
  expect(waiting.on({ kind: 'found' })).toEqual([])
  const refusing = new Script().all({ kind: 'start' }, connected, notification(cease))
  expect(refusing.on({ kind: 'found' })).toEqual([])
  expect(new Script({ passive: true }).all({ kind: 'start' }).on({ kind: 'found' })).toEqual([])
  expect(new Script().on({ kind: 'found' })).toEqual([])
  expect(established().on({ kind: 'found' })).toEqual([])
})

describe('an OPEN that does not suit', () => {
  test.each([
    ['another AS', { asField: 65531, capabilities: [] }, 2],
    ['another AS in the capability', { capabilities: [{ kind: 'fourOctetAS', asn: 1 }] }, 2],
    ['no identifier', { routerID: 0 }, 3],
    ['a hold time of 2 s', { holdSeconds: 2 }, 6],
  ] as const)('%s', (_name, change, subcode) => {
    const script = new Script().all({ kind: 'start' }, connected)
    expect(script.on(message({ ...peerOpen, ...change }))).toEqual([
      `send notification 2/${subcode}`,
      'disconnect',
      `failed notificationSent 2/${subcode}`,
    ])
  })

  test('our own identifier inside our AS, but not outside', () => {
    const open = { ...peerOpen, asField: 65000, routerID: 0x0a4d000b, capabilities: [] }
    const inside = new Script({ peerASN: 65000 }).all({ kind: 'start' }, connected)
    expect(inside.on(message(open))[0]).toBe('send notification 2/3')
    const outside = new Script({ peerASN: 65001 }).all({ kind: 'start' }, connected)
    expect(outside.on(message({ ...open, asField: 65001 }))).toEqual(['send keepalive'])
  })
})

describe('timers', () => {
  test('keepalives go at a third of the agreed hold time, until the peer falls silent', () => {
    const script = established()
    expect(script.wait()).toEqual([10_000, ['send keepalive']])
    expect(script.wait()).toEqual([10_000, ['send keepalive']])
    expect(script.wait()).toEqual([
      10_000,
      ['send notification 4/0', 'disconnect', 'down notificationSent 4/0'],
    ])
  })

  test.each([
    ['KEEPALIVE', keepalive],
    ['UPDATE', update],
  ])('a %s of the peer restarts the hold timer', (_name, event) => {
    const script = established()
    script.now = 29_999
    script.on(event)
    script.now = 59_998
    expect(script.on({ kind: 'tick' })).toEqual(['send keepalive'])
    script.now = 59_999
    expect(script.on({ kind: 'tick' })[0]).toBe('send notification 4/0')
  })

  test('jitter takes up to a quarter off the keepalive interval, and nothing off the hold time', () => {
    const script = established({ random: () => 0 })
    expect(script.wait()).toEqual([7500, ['send keepalive']])
    expect(script.state).toMatchObject({ holdAt: 30_000 })
  })

  test('a keepalive interval of the settings counts while it is shorter than a third', () => {
    expect(established({ keepaliveSeconds: 4 }).wait()[0]).toBe(4000)
    expect(established({ keepaliveSeconds: 80 }).wait()[0]).toBe(10_000)
  })

  test('without a hold time there are no timers', () => {
    expect(nextDeadline(established({ holdSeconds: 0 }).state)).toBeUndefined()
  })

  test('a peer that never opens is told so after 10 s', () => {
    const script = new Script().all({ kind: 'start' }, connected)
    expect(script.wait()).toEqual([
      10_000,
      ['send notification 4/0', 'disconnect', 'failed notificationSent 4/0'],
    ])
  })

  test('a peer without hold time that never confirms is given up too', () => {
    const script = new Script({ holdSeconds: 0 }).all({ kind: 'start' }, connected, message(peerOpen))
    expect(script.wait()[1][0]).toBe('send notification 4/0')
  })
})

describe('trying again', () => {
  test('a connect that fails is repeated soon, then every 5 s', () => {
    const script = new Script().all({ kind: 'start' })
    const waits = Array.from({ length: 7 }, () => {
      script.on(refused)
      return script.wait()[0]
    })
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000])
  })

  test('an unanswered connect is repeated every 4 s', () => {
    const script = new Script().all({ kind: 'start' })
    expect(script.wait()).toEqual([4000, ['disconnect', 'failed connectTimeout', 'connect']])
  })

  test('a peer that refuses each OPEN is tried ever more rarely', () => {
    const script = new Script().all({ kind: 'start' })
    const waits = Array.from({ length: 9 }, () => {
      script.all(connected, notification(bgpError(2, 2)))
      return script.wait()[0]
    })
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  })

  test('so is one that ends each session at once, but not one whose session held', () => {
    const script = new Script().all({ kind: 'start' })
    const waits = [100, 100, 100, 60_000, 100].map((lasted) => {
      script.all(connected, message({ ...peerOpen, holdSeconds: 0 }), keepalive)
      script.now += lasted
      script.on({ kind: 'closed' })
      return script.wait()[0]
    })
    expect(waits).toEqual([250, 500, 1000, 250, 250])
  })

  test('the settings can bound the wait', () => {
    const script = new Script({ connectSeconds: 1 }).all({ kind: 'start' })
    const waits = Array.from({ length: 5 }, () => {
      script.all(connected, notification(bgpError(2, 2)))
      return script.wait()[0]
    })
    expect(waits).toEqual([250, 500, 1000, 1000, 1000])
  })
})

describe('the end', () => {
  const stop: Event = { kind: 'stop', error: cease }

  test('a stop tells the peer, from each state that has one', () => {
    const told = ['send notification 6/2', 'disconnect']
    expect(new Script().on(stop)).toEqual([])
    expect(new Script().all({ kind: 'start' }).on(stop)).toEqual(['disconnect'])
    expect(new Script().all({ kind: 'start' }, refused).on(stop)).toEqual([])
    const opening = new Script().all({ kind: 'start' }, connected)
    expect(opening.on(stop)).toEqual([...told, 'failed notificationSent 6/2'])
    const confirming = new Script().all({ kind: 'start' }, connected, message(peerOpen))
    expect(confirming.on(stop)).toEqual([...told, 'failed notificationSent 6/2'])
    const up = established()
    expect(up.on(stop)).toEqual([...told, 'down notificationSent 6/2'])
    expect(nextDeadline(up.state)).toBeUndefined()
  })

  test('a stop during a wait ends the wait', () => {
    const script = established().all({ kind: 'closed' }, stop)
    expect(nextDeadline(script.state)).toBeUndefined()
    expect(script.on({ kind: 'start' })).toEqual(['connect'])
  })

  test("a peer's NOTIFICATION is not answered", () => {
    expect(established().on(notification(cease))).toEqual(['disconnect', 'down notificationReceived 6/2'])
  })

  test('what cannot be read is answered with its error', () => {
    expect(established().on({ kind: 'malformed', error: bgpError(3, 1) })[0]).toBe('send notification 3/1')
  })

  test.each([
    ['openSent', [], keepalive, 1],
    ['openSent', [], update, 1],
    ['openConfirm', [message(peerOpen)], update, 2],
    ['openConfirm', [message(peerOpen)], message(peerOpen), 2],
    ['established', [message(peerOpen), keepalive], message(peerOpen), 3],
  ] as const)(
    'in %s an unexpected message is an error of the state machine',
    (kind, before, event, subcode) => {
      const script = new Script().all({ kind: 'start' }, connected, ...before)
      expect(script.state.kind).toBe(kind)
      expect(script.on(event)[0]).toBe(`send notification 5/${subcode}`)
    },
  )

  test('a lost connection sends nothing', () => {
    expect(established().on({ kind: 'closed' })).toEqual(['down closed'])
  })
})

test('a request for routes is passed on for a family that was agreed, and only the asking kind', () => {
  const script = established()
  const refresh = (afi: number, subtype: number) =>
    script.on(message({ kind: 'routeRefresh', family: { afi, safi: 1 }, subtype }))
  expect([refresh(1, 0), refresh(2, 0), refresh(1, 1), refresh(25, 0)]).toEqual([['refresh'], [], [], []])
})

test('whatever happens, a session that was not stopped has a next thing to do or a connection to listen to', () => {
  const events: fc.Arbitrary<Event> = fc.constantFrom<Event>(
    { kind: 'tick' },
    connected,
    refused,
    { kind: 'closed' },
    { kind: 'malformed', error: bgpError(1, 1) },
    message(peerOpen),
    keepalive,
    update,
    notification(cease),
    { kind: 'accepted', routerID: 1, restarting: false },
    { kind: 'rivalMessage', message: peerOpen },
    { kind: 'rivalMessage', message: { ...peerOpen, routerID: 0xffffffff } },
    { kind: 'rivalEnded', error: undefined },
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(events, fc.nat(40_000)), { maxLength: 60 }), (happened) => {
      const script = new Script().all({ kind: 'start' })
      for (const [event, ms] of happened) {
        script.now += ms
        script.on(event)
        expect(nextDeadline(script.state)).toBeDefined()
      }
    }),
  )
})
