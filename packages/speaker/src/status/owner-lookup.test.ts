import { ApiError, type RawObject } from '@landfall/kube'
import { createLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { ownerLookup } from './owner-lookup.ts'

const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'speaker', uid: 'u' }
const pod: RawObject = { metadata: { name: 'p', ownerReferences: [{ ...daemonSet, controller: true }] } }
const times = { backoff: { firstMs: 1, ceilingMs: 1 }, meant: 3, againMs: 500 }

/** Each answer in turn, the last for ever: a status of refusal, or a pod. */
function lookup(answers: readonly (number | RawObject)[], signal = new AbortController().signal) {
  let asked = 0
  const events: unknown[] = []
  const find = ownerLookup({
    cluster: {
      get: async () => {
        const answer = answers[Math.min(asked++, answers.length - 1)] ?? 500
        if (typeof answer === 'number') throw refusal(answer)
        return answer
      },
    },
    namespace: 'metallb-system',
    podName: 'p',
    logger: createLogger({ write: (line) => void events.push(JSON.parse(line).event) }),
    signal,
    times,
  })
  return { find, events, asked: () => asked }
}

function refusal(status: number): ApiError {
  return new ApiError('GET pod', status, '', 'no')
}

test('the DaemonSet is sought once, by however many at a time', async () => {
  const { find, asked } = lookup([pod])
  expect(await Promise.all([find(), find()])).toEqual([daemonSet, daemonSet])
  expect([await find(), asked()]).toEqual([daemonSet, 1])
})

test('a refusal of an API server that has just started is not final', async () => {
  const { find, events } = lookup([403, 403, pod])
  expect([await find(), events]).toEqual([daemonSet, []])
})

test('refusals that go on are believed and said, and asked about again later', async () => {
  const { find, events, asked } = lookup([403, 403, 403, pod])
  expect([await find(), await find(), asked(), events]).toEqual([undefined, undefined, 3, ['noOwner']])
  await new Promise((resolve) => setTimeout(resolve, 2 * times.againMs))
  expect(await find()).toEqual(daemonSet)
})

test('a pod that is not there is believed at once', async () => {
  const { find, asked } = lookup([404, pod])
  expect([await find(), asked()]).toEqual([undefined, 1])
})

test('who stops does not wait', async () => {
  const { find, asked } = lookup([403], AbortSignal.abort())
  expect([await find(), asked()]).toEqual([undefined, 1])
})

test('what fails otherwise is thrown, and tried anew', async () => {
  const { find } = lookup([500, pod])
  await expect(find()).rejects.toThrow(ApiError)
  expect(await find()).toEqual(daemonSet)
})
