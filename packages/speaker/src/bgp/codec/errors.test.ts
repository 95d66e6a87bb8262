import { describe, expect, test } from 'vitest'
import {
  decodeMessage,
  encodeMessage,
  type NotificationMessage,
  nameOfError,
  nextFrame,
  readShutdownText,
  type SessionContext,
  shutdownText,
} from './index.ts'

const external: SessionContext = { fourOctetAS: true, internal: false, messageLimit: 4096 }
const internal: SessionContext = { ...external, internal: true }
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

function frame(type: number, body: string): Uint8Array {
  const data = hex(body)
  const length = 19 + data.length
  return new Uint8Array([...new Uint8Array(16).fill(0xff), length >> 8, length & 255, type, ...data])
}

function update(attributes: string, announced = '', context = external) {
  const length = hex(attributes).length.toString(16).padStart(4, '0')
  return decodeMessage(frame(2, `0000 ${length} ${attributes} ${announced}`), context)
}

describe('errors that end the session, by code, subcode and data (RFC 4271 §6)', () => {
  const marker = 'ff'.repeat(16)
  test.each([
    ['a broken marker', hex('ff'.repeat(15) + '00 0013 04'), 1, 1, ''],
    ['a length below 19', hex(`${marker} 0012 04`), 1, 2, '0012'],
    ['a length above 4096', hex(`${marker} 1001 02`), 1, 2, '1001'],
    ['a KEEPALIVE with a body', frame(4, '00'), 1, 2, '0014'],
    ['a short OPEN', frame(1, '04'), 1, 2, '0014'],
    ['a short UPDATE', frame(2, '0000'), 1, 2, '0015'],
    ['a short NOTIFICATION', frame(3, '06'), 1, 2, '0014'],
    ['a short ROUTE-REFRESH', frame(5, '0001'), 1, 2, '0015'],
    ['an unknown type', frame(9, ''), 1, 3, '09'],
    ['another version', frame(1, '03 fde8 005a 01010101 00'), 2, 1, '0004'],
    ['an unknown parameter', frame(1, '04 fde8 005a 01010101 03 01 01 00'), 2, 4, ''],
    ['a parameter beyond the end', frame(1, '04 fde8 005a 01010101 03 02 09 00'), 2, 0, ''],
    ['a capability beyond the end', frame(1, '04 fde8 005a 01010101 04 02 02 41 04'), 2, 0, ''],
    ['parameters shorter than said', frame(1, '04 fde8 005a 01010101 09'), 2, 0, ''],
    ['withdrawals beyond the end', frame(2, '0009 0000'), 3, 1, ''],
    ['attributes beyond the end', frame(2, '0000 0009'), 3, 1, ''],
    ['a prefix of 33 bits', frame(2, '0000 0000 21 0a00000000'), 3, 10, ''],
    ['a withdrawal cut off', frame(2, '0002 20 0a 0000'), 3, 10, ''],
    ['an unknown well-known attribute', frame(2, '0000 0004 4063 01 00'), 3, 2, '40630100'],
    ['MP_UNREACH twice', frame(2, `0000 000c ${'800f03 000201'.repeat(2)}`), 3, 1, ''],
    [
      'MP_REACH with a next hop of 5 bytes',
      frame(2, '0000 000d 800e0a 000201 05 0000000000 00'),
      3,
      9,
      '800e0a00020105000000000000',
    ],
    ['MP_UNREACH with a prefix of 129 bits', frame(2, '0000 0007 800f04 000201 81'), 3, 9, '800f0400020181'],
    ['a begin-of-refresh with a tail', frame(5, '0001 01 01 00'), 7, 1, `${marker}0018050001010100`],
  ])('%s', (_name, bytes, code, subcode, data) => {
    const decoded = decodeMessage(bytes, external)
    if (decoded.ok) throw new Error(JSON.stringify(decoded.value))
    expect({ ...decoded.error, data: Buffer.from(decoded.error.data).toString('hex') }).toEqual({
      code,
      subcode,
      data,
    })
  })
})

describe('faults that a session survives (RFC 7606)', () => {
  const origin = '400101 00'
  const path = '400206 0201 0000fde9'
  const hop = '400304 0a000001'
  const route = '20 c0000201'
  const faultsOf = (decoded: ReturnType<typeof update>) =>
    decoded.ok && decoded.value.kind === 'update' ? decoded.value.faults : expect.unreachable()

  test('a whole route has none', () => {
    expect(faultsOf(update(`${origin} ${path} ${hop}`, route))).toEqual([])
  })

  test.each([
    ['an ORIGIN of 3', `400101 03 ${path} ${hop}`, { treatment: 'withdraw', attribute: 1, subcode: 6 }],
    ['an empty ORIGIN', `400100 ${path} ${hop}`, { treatment: 'withdraw', attribute: 1, subcode: 5 }],
    ['ORIGIN as optional', `c00101 00 ${path} ${hop}`, { treatment: 'withdraw', attribute: 1, subcode: 4 }],
    [
      'MP_UNREACH without the optional bit',
      `${origin} ${path} ${hop} 400f03 000201`,
      { treatment: 'withdraw', attribute: 15, subcode: 4 },
    ],
    [
      'AGGREGATOR as well-known',
      `${origin} ${path} ${hop} 400708 0000fde80a000001`,
      { treatment: 'withdraw', attribute: 7, subcode: 4 },
    ],
    ['no ORIGIN', `${path} ${hop}`, { treatment: 'withdraw', attribute: 1, subcode: 3 }],
    [
      'an AS path cut off',
      `${origin} 400204 0202 0000 ${hop}`,
      { treatment: 'withdraw', attribute: 2, subcode: 11 },
    ],
    [
      'an empty segment',
      `${origin} 400202 0200 ${hop}`,
      { treatment: 'withdraw', attribute: 2, subcode: 11 },
    ],
    [
      'NEXT_HOP of 3 bytes',
      `${origin} ${path} 400303 0a0000`,
      { treatment: 'withdraw', attribute: 3, subcode: 5 },
    ],
    ['no NEXT_HOP', `${origin} ${path}`, { treatment: 'withdraw', attribute: 3, subcode: 3 }],
    [
      'MED of 2 bytes',
      `${origin} ${path} ${hop} 800402 0001`,
      { treatment: 'withdraw', attribute: 4, subcode: 5 },
    ],
    [
      'LOCAL_PREF from outside',
      `${origin} ${path} ${hop} 400504 00000064`,
      { treatment: 'discard', attribute: 5, subcode: 5 },
    ],
    [
      'ATOMIC_AGGREGATE with a value',
      `${origin} ${path} ${hop} 400601 00`,
      { treatment: 'discard', attribute: 6, subcode: 5 },
    ],
    [
      'AGGREGATOR of 6 bytes',
      `${origin} ${path} ${hop} c00706 fde80a000001`,
      { treatment: 'discard', attribute: 7, subcode: 5 },
    ],
    [
      'communities of 5 bytes',
      `${origin} ${path} ${hop} c00805 0000000000`,
      { treatment: 'withdraw', attribute: 8, subcode: 9 },
    ],
    [
      'no community in the list',
      `${origin} ${path} ${hop} c00800`,
      { treatment: 'withdraw', attribute: 8, subcode: 9 },
    ],
    [
      'CLUSTER_LIST from outside',
      `${origin} ${path} ${hop} 800a04 01010101`,
      { treatment: 'discard', attribute: 10, subcode: 5 },
    ],
    [
      'large communities of 4 bytes',
      `${origin} ${path} ${hop} c02004 00000000`,
      { treatment: 'withdraw', attribute: 32, subcode: 9 },
    ],
    [
      'ORIGIN twice',
      `${origin} ${path} ${hop} ${origin}`,
      { treatment: 'discard', attribute: 1, subcode: 1 },
    ],
    [
      'an attribute beyond the end',
      `${origin} ${path} ${hop} 4009ff 00`,
      { treatment: 'withdraw', attribute: 9, subcode: 1 },
    ],
  ] as const)('%s', (_name, attributes, fault) => {
    expect(faultsOf(update(attributes, route))).toEqual([fault])
  })

  test('an internal peer owes LOCAL_PREF', () => {
    expect(faultsOf(update(`${origin} ${path} ${hop}`, route, internal))).toEqual([
      { treatment: 'withdraw', attribute: 5, subcode: 3 },
    ])
  })

  test('a family that is not unicast is carried through', () => {
    const decoded = update('800f03 000280')
    expect(decoded).toMatchObject({
      ok: true,
      value: { attributes: [{ kind: 'other', type: 15 }], faults: [] },
    })
  })
})

test('extended messages end at 65535', () => {
  const long = new Uint8Array(65535).fill(0xff, 0, 16)
  long.set([0xff, 0xff, 2], 16)
  expect(nextFrame(long, 4096)).toMatchObject({ kind: 'error', error: { code: 1, subcode: 2 } })
  expect(nextFrame(long, 65535).kind).toBe('frame')
})

describe('the text of a shutdown (RFC 9003)', () => {
  const read = (data: Uint8Array) => readShutdownText({ code: 6, subcode: 2, data })

  test('is cut between characters at 255 bytes', () => {
    expect(read(shutdownText('maintenance'))).toBe('maintenance')
    expect(read(shutdownText('ü'.repeat(200)))).toBe('ü'.repeat(127))
  })

  test('is nothing where bytes are missing, broken or of another error', () => {
    expect(read(hex('05 41'))).toBeUndefined()
    expect(read(hex('01 ff'))).toBeUndefined()
    expect(read(hex(''))).toBeUndefined()
    expect(readShutdownText({ code: 6, subcode: 5, data: shutdownText('no') })).toBeUndefined()
  })
})

test('a NOTIFICATION never grows beyond a message', () => {
  const long: NotificationMessage = {
    kind: 'notification',
    error: { code: 3, subcode: 2, data: new Uint8Array(9000) },
  }
  expect(encodeMessage(long, external)).toHaveLength(4096)
})

test('errors have names', () => {
  expect(nameOfError({ code: 2, subcode: 2 })).toBe('open/badPeerAS')
  expect(nameOfError({ code: 4, subcode: 0 })).toBe('holdTimerExpired')
  expect(nameOfError({ code: 6, subcode: 99 })).toBe('cease/99')
  expect(nameOfError({ code: 99, subcode: 1 })).toBe('99/1')
})
