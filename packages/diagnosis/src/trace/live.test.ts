import { expect, test } from 'vitest'
import { type Try, traceLive } from './live.ts'

const expected = {
  at: '192.0.2.1:443',
  insisted: false,
  byEnvoy: true,
  namespace: 'projectcontour',
  neighbour: 'this machine goes to MAC 52:54:00:00:00:99; announced by n1',
  suspects: 'kube-vip (pod kube-system/kube-vip-n1) of this cluster',
}
const good = { kind: 'answered', status: 200, server: 'envoy', location: '', distrust: '' } as const

test.each<readonly [string, Try, string, string]>([
  ['an answer', good, 'ok', ''],
  ['a redirect', { ...good, status: 301, location: 'https://a.test/' }, 'ok', ''],
  [
    'a certificate of nobody',
    { ...good, distrust: 'self-signed certificate' },
    'warning',
    'certificateNotTrusted',
  ],
  ['a path that is not there', { ...good, status: 404 }, 'warning', 'HTTP404'],
  ['no backend', { ...good, status: 503 }, 'broken', 'HTTP503'],
  ['somebody else', { ...good, server: 'nginx' }, 'broken', 'anotherServer'],
  ['nobody there', { kind: 'noConnection', code: 'ECONNREFUSED', message: '' }, 'broken', 'ECONNREFUSED'],
  ['no way there', { kind: 'noConnection', code: 'ETIMEDOUT', message: '' }, 'unknown', 'ETIMEDOUT'],
  ['a handshake that fails', { kind: 'noAnswer', code: 'ECONNRESET', message: '' }, 'broken', 'ECONNRESET'],
  ['no try', { kind: 'notTried', why: 'not asked for' }, 'skipped', ''],
])('%s', (_name, tried, state, reason) => {
  expect(traceLive(tried, expected)).toMatchObject({ name: 'request', state, reason })
})

test('who insists on the try takes no way there for a fault', () => {
  const tried: Try = { kind: 'noConnection', code: 'EHOSTUNREACH', message: '' }
  expect(traceLive(tried, { ...expected, insisted: true }).state).toBe('broken')
})

test('where another host answers, its MAC, who it may be and the command to find out are told', () => {
  const { details, next } = traceLive({ ...good, server: 'nginx' }, expected)
  expect(details).toEqual([expected.neighbour])
  expect(next).toContain('arping -c 3 -I INTERFACE 192.0.2.1')
  expect(next).toContain(expected.suspects)
  expect(next).toContain('ip -br address show to 192.0.2.1')
})
