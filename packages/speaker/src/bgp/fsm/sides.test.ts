import { describe, expect, test } from 'vitest'
import { bgpError, ceaseReason, errorCode, type OpenMessage } from '../codec/index.ts'
import { type Event, nextDeadline, type PeerSettings, step } from './index.ts'
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
} from './testing.ts'

describe('BFD', () => {
  const down = ['send notification 6/10', 'disconnect', 'down notificationSent 6/10']

  test('takes the session down, and holds it until the path is found again', () => {
    const script = established()
    script.now += 10_000
    expect(script.on({ kind: 'hold' })).toEqual(down)
    expect(nextDeadline(script.state)).toBeUndefined()
    expect(script.on({ kind: 'start' })).toEqual([])
    expect(script.on({ kind: 'release' })).toEqual(['connect'])
  })

  test('holds attempts as well, and stopped stays stopped', () => {
    expect(new Script().all({ kind: 'start' }).on({ kind: 'hold' })).toEqual(['disconnect'])
    const waiting = new Script().all({ kind: 'start' }, refused)
    expect(waiting.on({ kind: 'hold' })).toEqual([])
    expect(waiting.on({ kind: 'release' })).toEqual(['connect'])
    const stopping = new Script().all({ kind: 'start' }, { kind: 'stop', error: cease })
    expect(stopping.all({ kind: 'hold' }).on({ kind: 'release' })).toEqual([])
  })
})

test('BFD that flaps does not have the session come and go with it', () => {
  const script = new Script().all({ kind: 'start' })
  const waits = Array.from({ length: 9 }, () => {
    script.all(connected, message(peerOpen), keepalive)
    expect(script.state.kind).toBe('established')
    script.now += 150
    script.all({ kind: 'hold' }, { kind: 'release' })
    const [ms, effects] = script.wait()
    expect(effects).toEqual(['connect'])
    return ms
  })
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  script.all(connected, message(peerOpen), keepalive)
  script.now += 10_000
  expect(script.all({ kind: 'hold' }).on({ kind: 'release' })).toEqual(['connect'])
})

test('a peer that refuses is not hammered because BFD goes and comes', () => {
  const script = new Script().all({ kind: 'start' })
  for (let i = 0; i < 6; i++) {
    script.all(connected, notification(cease))
    script.wait()
  }
  script.all(connected, notification(cease), { kind: 'hold' })
  expect(script.on({ kind: 'release' })).toEqual([])
  expect(script.wait()).toEqual([16_000, ['connect']])
})

describe('graceful restart', () => {
  const capability = (notification: boolean, seconds = 90) =>
    ({ kind: 'gracefulRestart', restarting: false, notification, seconds, families: [] }) as const
  const restarting = (notification: boolean): OpenMessage => ({
    ...peerOpen,
    capabilities: [...peerOpen.capabilities, capability(notification)],
  })
  const agreed = (notification: boolean, more: Partial<PeerSettings> = {}) =>
    new Script({ restartSeconds: 120, ...more }).all(
      { kind: 'start' },
      connected,
      message(restarting(notification)),
      keepalive,
    )

  test('our OPEN offers it, with what is kept for each family, and says whether we restart', () => {
    const script = new Script({ restartSeconds: 120 }).all({ kind: 'start' })
    const { effects } = step(
      script.state,
      { kind: 'connected', routerID: 1, restarting: true },
      0,
      script.settings,
    )
    expect(JSON.stringify(effects)).toContain(
      JSON.stringify({
        kind: 'gracefulRestart',
        restarting: true,
        notification: true,
        seconds: 120,
        families: [
          { afi: 1, safi: 1, forwarding: true },
          { afi: 2, safi: 1, forwarding: true },
        ],
      }),
    )
  })

  test('is agreed when both offer it', () => {
    expect(agreed(true).state).toMatchObject({ agreed: { gracefulRestart: true, notificationRestart: true } })
    expect(agreed(false).state).toMatchObject({
      agreed: { gracefulRestart: true, notificationRestart: false },
    })
    const alone = agreed(true, { restartSeconds: undefined })
    expect(alone.state).toMatchObject({ agreed: { gracefulRestart: false, notificationRestart: false } })
  })

  test('is what the last capability says where there are several', () => {
    const capabilities = [...peerOpen.capabilities, capability(true, 7), capability(false, 90)]
    const script = new Script({ restartSeconds: 120 }).all(
      { kind: 'start' },
      connected,
      message({ ...peerOpen, capabilities }),
    )
    expect(script.state).toMatchObject({ agreed: { peerRestartSeconds: 90, notificationRestart: false } })
  })

  test('a session that is left without a word just closes', () => {
    expect(agreed(true).on({ kind: 'abandon' })).toEqual(['disconnect', 'down abandoned'])
  })

  test('a stop that is no restart says so in a hard reset, which carries the reason', () => {
    const script = agreed(true)
    const { effects } = step(script.state, { kind: 'stop', error: cease }, 0, script.settings)
    expect(effects[0]).toEqual({
      kind: 'send',
      message: {
        kind: 'notification',
        error: { code: 6, subcode: 9, data: Uint8Array.of(6, ceaseReason.administrativeShutdown) },
      },
    })
    expect(agreed(false).on({ kind: 'stop', error: cease })[0]).toBe('send notification 6/2')
    const changed = bgpError(errorCode.cease, ceaseReason.otherConfigurationChange)
    expect(agreed(true).on({ kind: 'stop', error: changed })[0]).toBe('send notification 6/6')
  })

  test('a peer that dials anew has restarted: the old connection goes', () => {
    const again: Event = { kind: 'accepted', routerID: 0x0a4d000b, restarting: false }
    expect(agreed(false).on(again)).toEqual(['disconnect', 'down closed', 'adopt', 'send open'])
    expect(established().on(again)).toEqual(['rival: refuse 6/7'])
    const lasting = new Script({ restartSeconds: 120 }).all({ kind: 'start' }, connected, notification(cease))
    lasting.wait()
    lasting.all(connected, message(restarting(false)), keepalive)
    expect(lasting.state).toMatchObject({ refusals: 1 })
    lasting.now += 10_000
    lasting.on(again)
    expect(lasting.state).toMatchObject({ kind: 'openSent', refusals: 0 })
  })
})

describe('a peer that dials', () => {
  const accepted: Event = { kind: 'accepted', routerID: 0x0a4d000b, restarting: false }
  const rivalOpen = (routerID: number): Event => ({
    kind: 'rivalMessage',
    message: { ...peerOpen, routerID },
  })
  const [lower, higher] = [0x0a4d0001, 0x0a4d00ff]
  const opening = () => new Script().all({ kind: 'start' }, connected)

  test('is waited for by one that is passive', () => {
    const script = new Script({ passive: true })
    expect(script.on({ kind: 'start' })).toEqual([])
    expect(nextDeadline(script.state)).toBeUndefined()
    expect(script.on(accepted)).toEqual(['adopt', 'send open'])
    expect(script.all(message(peerOpen)).on(keepalive)).toEqual(['up'])
    script.on({ kind: 'closed' })
    script.wait()
    expect(script.state).toMatchObject({ kind: 'active', retryAt: undefined })
  })

  test('takes the place of an attempt of ours', () => {
    expect(new Script().all({ kind: 'start' }).on(accepted)).toEqual(['disconnect', 'adopt', 'send open'])
    expect(new Script().all({ kind: 'start' }, refused).on(accepted)).toEqual(['adopt', 'send open'])
  })

  test('is refused while the session is stopped or damped', () => {
    expect(new Script().on(accepted)).toEqual(['rival: refuse 6/5'])
    expect(opening().all(notification(cease)).on(accepted)).toEqual(['rival: refuse 6/5'])
  })

  test('collides: the connection of the greater identifier stays', () => {
    const ours = opening()
    expect(ours.on(accepted)).toEqual(['rival: send open'])
    expect(ours.on(rivalOpen(lower))).toEqual(['rival: refuse 6/7'])
    expect(ours.all(message(peerOpen)).on(keepalive)).toEqual(['up'])

    const theirs = opening().all(accepted)
    expect(theirs.on(rivalOpen(higher))).toEqual([
      'send notification 6/7',
      'disconnect',
      'adopt',
      'send keepalive',
    ])
    expect(theirs.on(keepalive)).toEqual(['up'])
  })

  test('collides: the same when the OPEN comes on ours first', () => {
    const theirs = opening().all(accepted)
    expect(theirs.on(message({ ...peerOpen, routerID: higher }))).toEqual([
      'send notification 6/7',
      'disconnect',
      'adopt',
    ])
    expect(theirs.on(message({ ...peerOpen, routerID: higher }))).toEqual(['send keepalive'])
    const ours = opening().all(accepted)
    expect(ours.on(message(peerOpen))).toEqual(['rival: refuse 6/7', 'send keepalive'])
  })

  test('collides: after our OPEN was confirmed, too', () => {
    const script = opening().all(message({ ...peerOpen, routerID: higher }))
    expect(script.on(accepted)).toEqual(['rival: send open'])
    expect(script.on(rivalOpen(higher))).toContain('adopt')
    const late = opening().all(message(peerOpen), accepted)
    expect(late.on(keepalive)).toEqual(['rival: refuse 6/7', 'up'])
  })

  test('collides: that the peer ends ours for it is no failure', () => {
    const script = opening().all(accepted)
    const collision = bgpError(errorCode.cease, ceaseReason.connectionCollision)
    expect(script.on(notification(collision))).toEqual(['disconnect', 'adopt'])
    expect(script.all(message(peerOpen)).on(keepalive)).toEqual(['up'])
    expect(script.state).toMatchObject({ refusals: 0 })
  })

  test('goes on when ours breaks, and is refused when the session is stopped', () => {
    const script = opening().all(accepted)
    expect(script.on({ kind: 'closed' })).toEqual(['failed closed', 'adopt'])
    expect(script.on(message(peerOpen))).toEqual(['send keepalive'])
    expect(opening().all(accepted).on({ kind: 'stop', error: cease })).toContain('rival: refuse 6/5')
  })

  test('that never opens, opens wrongly or comes twice is refused, and ours goes on', () => {
    const script = opening().all(accepted)
    expect(script.on(accepted)).toEqual(['rival: refuse 6/7'])
    const wrong: Event = { kind: 'rivalMessage', message: { ...peerOpen, asField: 1, capabilities: [] } }
    expect(opening().all(accepted).on(wrong)).toEqual(['rival: refuse 2/2'])
    const goodbye: Event = { kind: 'rivalMessage', message: { kind: 'notification', error: cease } }
    expect(opening().all(accepted).on(goodbye)).toEqual(['rival: drop'])
    expect(
      opening()
        .all(accepted)
        .on({ kind: 'rivalMessage', message: { kind: 'keepalive' } }),
    ).toEqual(['rival: refuse 5/1'])
    const slow = opening()
    slow.now = 5000
    slow.all(message(peerOpen), accepted)
    slow.now = 15_000
    expect(slow.on({ kind: 'tick' })).toEqual(['send keepalive', 'rival: refuse 4/0'])
    expect(slow.on(keepalive)).toEqual(['up'])
  })
})

test('an AS number that is not fixed may be any but ours', () => {
  const open = (asField: number) =>
    new Script({ peerASN: 'external' })
      .all({ kind: 'start' }, connected)
      .on(message({ ...peerOpen, asField, capabilities: [] }))
  expect(open(64999)).toEqual(['send keepalive'])
  expect(open(65000)[0]).toBe('send notification 2/2')
})

test('families are those that both sides want, and IPv4 alone without the capability', () => {
  const families = (more: Partial<PeerSettings>, capabilities: OpenMessage['capabilities']) => {
    const script = new Script(more).all({ kind: 'start' }, connected, message({ ...peerOpen, capabilities }))
    return script.state.kind === 'openConfirm' ? script.state.agreed.families : undefined
  }
  const as = { kind: 'fourOctetAS', asn: 65530 } as const
  const both = [4, 6].map((_, i) => ({ kind: 'multiprotocol', family: { afi: i + 1, safi: 1 } }) as const)
  expect(families({}, [as, ...both])).toEqual([4, 6])
  expect(families({ families: [6] }, [as, ...both])).toEqual([6])
  expect(families({}, [as])).toEqual([4])
  expect(families({ multiprotocol: false, families: [4] }, [as, ...both])).toEqual([4])
})
