import { expect, test } from 'vitest'
import { type PeerSession, peerStatus } from './peer-status.ts'

const time = new Date('2026-01-01T00:00:00Z')
const lastTransitionTime = '2026-01-01T00:00:00Z'
const up = (node: string): PeerSession => ({ node, established: true, reason: '', message: '' })
const down = (node: string): PeerSession => ({
  node,
  established: false,
  reason: 'connectFailed',
  message: 'connect ECONNREFUSED 192.0.2.1:179',
})
const said = (...sessions: PeerSession[]) => peerStatus({}, sessions, 3, () => time)

test('all sessions are up', () => {
  expect(said(up('n1'), up('n2'))).toEqual({
    sessions: '2/2',
    conditions: [
      {
        type: 'Established',
        status: 'True',
        reason: 'AllUp',
        message: '',
        observedGeneration: 3,
        lastTransitionTime,
      },
    ],
  })
})

test('the nodes whose sessions are down are named, with the reason', () => {
  const other = { ...down('n0'), reason: 'connectTimeout', message: '' }
  expect(said(up('n1'), down('n3'), down('n2'), other)).toMatchObject({
    sessions: '1/4',
    conditions: [
      {
        status: 'False',
        reason: 'SomeDown',
        message: 'n0: connectTimeout; n2, n3: connectFailed: connect ECONNREFUSED 192.0.2.1:179',
      },
    ],
  })
  expect(said(down('n1'))).toMatchObject({ sessions: '0/1', conditions: [{ reason: 'NoneUp' }] })
})

test('of many nodes the first are named', () => {
  const all = Array.from({ length: 12 }, (_, i) => down(`n${String(i).padStart(2, '0')}`))
  expect(said(...all)).toMatchObject({
    conditions: [{ message: expect.stringMatching(/^n00, .*, n09: [^;]*; and 2 more$/) }],
  })
})

test('without a report nothing is said, and what others say is kept', () => {
  const valid = { type: 'Valid', status: 'True' }
  const old = { ...said(down('n1')), conditions: [valid, { type: 'Established', status: 'False' }] }
  expect(peerStatus(old, [], 3, () => time)).toEqual({ conditions: [valid] })
})
