/**
 * RFC 4271 §6 from end to end: bytes of the peer in, our NOTIFICATION out. What RFC 7606 took from that section ends no
 * session any more: its rows say which fault is noted instead.
 */
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage, nextFrame, type SessionContext, shutdownText } from './codec/index.ts'
import { connected, message, peerOpen, Script } from './fsm/testing.ts'

const context: SessionContext = { fourOctetAS: true, internal: false, messageLimit: 4096 }
const marker = 'ff'.repeat(16)
const keepalive = `${marker} 0013 04`
const attributes = (text: string): string => {
  const length = hex(text).length.toString(16).padStart(4, '0')
  return `0000 ${length} ${text} 18 c00002`
}
const origin = '400101 00'
const path = '400206 0201 0000fffa'
const hop = '400304 0a000001'

type State = 'openSent' | 'openConfirm' | 'established'

/** Section, what is wrong, in which state, the peer's bytes, our answer. */
const ended: readonly (readonly [string, string, State, string, string])[] = [
  ['6.1', 'marker', 'established', `${'ff'.repeat(15)}fe 0013 04`, '1/1'],
  ['6.1', 'length below 19', 'established', `${marker} 0012 04`, '1/2'],
  ['6.1', 'length above 4096', 'established', `${marker} 1001 02`, '1/2'],
  ['6.1', 'OPEN below 29', 'openSent', framed(1, '04'), '1/2'],
  ['6.1', 'UPDATE below 23', 'established', framed(2, '0000'), '1/2'],
  ['6.1', 'KEEPALIVE other than 19', 'established', framed(4, '00'), '1/2'],
  ['6.1', 'NOTIFICATION below 21', 'established', framed(3, '06'), '1/2'],
  ['6.1', 'type', 'established', framed(9, ''), '1/3'],
  ['6.2', 'version', 'openSent', framed(1, '03 fffa 005a 0a4d0001 00'), '2/1'],
  ['6.2', 'AS', 'openSent', framed(1, '04 fde9 005a 0a4d0001 00'), '2/2'],
  ['6.2', 'identifier', 'openSent', framed(1, '04 fffa 005a 00000000 00'), '2/3'],
  ['6.2', 'optional parameter', 'openSent', framed(1, '04 fffa 005a 0a4d0001 03 01 01 00'), '2/4'],
  ['6.2', 'optional parameter cut off', 'openSent', framed(1, '04 fffa 005a 0a4d0001 03 02 09 00'), '2/0'],
  ['6.2', 'hold time of 1 s', 'openSent', framed(1, '04 fffa 0001 0a4d0001 00'), '2/6'],
  ['6.2', 'hold time of 2 s', 'openSent', framed(1, '04 fffa 0002 0a4d0001 00'), '2/6'],
  ['6.3', 'lengths beyond the message', 'established', framed(2, '0000 0009'), '3/1'],
  ['6.3', 'unknown well-known attribute', 'established', framed(2, attributes('4063 01 00')), '3/2'],
  ['6.3', 'optional attribute', 'established', framed(2, '0000 0007 800f04 000201 81'), '3/9'],
  ['6.3', 'network field', 'established', framed(2, '0000 0000 21 0a00000000'), '3/10'],
  ['6.6', 'KEEPALIVE before OPEN', 'openSent', keepalive, '5/1'],
  ['6.6', 'UPDATE before KEEPALIVE', 'openConfirm', framed(2, '0000 0000'), '5/2'],
  ['6.6', 'OPEN again', 'established', framed(1, '04 fffa 005a 0a4d0001 00'), '5/3'],
]

const noted: readonly (readonly [string, string, string, number])[] = [
  ['missing well-known attribute', `${path} ${hop}`, 'withdraw', 3],
  ['attribute flags', `c00101 00 ${path} ${hop}`, 'withdraw', 4],
  ['flags of MP_UNREACH', `${origin} ${path} ${hop} 400f03 000201`, 'withdraw', 4],
  ['attribute length', `${origin} ${path} 400303 0a0000`, 'withdraw', 5],
  ['ORIGIN', `400101 03 ${path} ${hop}`, 'withdraw', 6],
  ['length of ORIGIN', `400102 0000 ${path} ${hop}`, 'withdraw', 5],
  ['NEXT_HOP, no address', `${origin} ${path} 400304 00000000`, 'withdraw', 8],
  ['NEXT_HOP, the loopback', `${origin} ${path} 400304 7f000001`, 'withdraw', 8],
  ['NEXT_HOP, a group', `${origin} ${path} 400304 e0000001`, 'withdraw', 8],
  ['optional attribute', `${origin} ${path} ${hop} c00805 0000000000`, 'withdraw', 9],
  ['AS_PATH', `${origin} 400202 0200 ${hop}`, 'withdraw', 11],
  ['attribute twice', `${origin} ${path} ${hop} ${origin}`, 'discard', 1],
]

describe('is answered by its code and subcode', () => {
  test.each(ended)('§%s %s, in %s', (_section, _what, state, bytes, answer) => {
    const script = scriptIn(state)
    expect(answers(script, bytes)).toEqual([
      `send notification ${answer}`,
      'disconnect',
      `${state === 'established' ? 'down' : 'failed'} notificationSent ${answer}`,
    ])
    expect(script.state.kind).toBe('idle')
  })

  test('§6.5 the hold timer, in each state with one', () => {
    for (const state of ['openSent', 'openConfirm', 'established'] as const) {
      const script = scriptIn(state)
      script.now = 1_000_000
      expect(script.on({ kind: 'tick' })[0]).toBe('send notification 4/0')
    }
  })

  test('§6.4 a NOTIFICATION is not answered, whatever is wrong with it', () => {
    for (const body of ['06 02', '2a 2a ffff', '01 00']) {
      const [first, last] = answers(scriptIn('established'), framed(3, body))
      expect([first, last]).toEqual(['disconnect', expect.stringMatching(/^down notificationReceived /)])
    }
  })

  test('§6.7 a stop is a Cease, with its reason', () => {
    const error = { code: 6, subcode: 2, data: shutdownText('maintenance') }
    expect(scriptIn('established').on({ kind: 'stop', error })[0]).toBe('send notification 6/2')
    expect(encodeMessage({ kind: 'notification', error }, context).subarray(19, 21)).toEqual(
      Uint8Array.of(6, 2),
    )
  })
})

test.each(noted)('§6.3 as RFC 7606 has it: %s', (_what, text, treatment, subcode) => {
  const script = scriptIn('established')
  const decoded = decodeMessage(hex(framed(2, attributes(text))), context)
  if (!decoded.ok || decoded.value.kind !== 'update') throw new Error('not understood')
  expect(decoded.value.faults).toMatchObject([{ treatment, subcode }])
  expect(script.on(message(decoded.value))).toEqual(['faults'])
  expect(script.state.kind).toBe('established')
})

function scriptIn(state: State): Script {
  const script = new Script().all({ kind: 'start' }, connected)
  if (state !== 'openSent') script.on(message(peerOpen))
  if (state === 'established') script.on(message({ kind: 'keepalive' }))
  expect(script.state.kind).toBe(state)
  return script
}

/** As the session's rim does. */
function answers(script: Script, text: string): readonly string[] {
  const bytes = hex(text)
  const framing = nextFrame(bytes, context.messageLimit)
  if (framing.kind === 'incomplete') throw new Error('not a whole message')
  if (framing.kind === 'error') return script.on({ kind: 'malformed', error: framing.error })
  const decoded = decodeMessage(framing.frame, context)
  return script.on(decoded.ok ? message(decoded.value) : { kind: 'malformed', error: decoded.error })
}

function framed(type: number, body: string): string {
  const length = (19 + hex(body).length).toString(16).padStart(4, '0')
  return `${marker} ${length} ${type.toString(16).padStart(2, '0')} ${body}`
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}
